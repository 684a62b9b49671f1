using System.Runtime.InteropServices;

namespace Cllm.Protocol;

/// <summary>The effects of one input, in the order in which a host performs them. Made once and cleared between inputs.</summary>
public sealed class EffectList
{
    private readonly List<Effect> _effects = [];

    /// <summary>
    /// The effects: what is persisted, then what is sent, then work that is started; within each as the machine decided.
    /// </summary>
    public ReadOnlySpan<Effect> Effects => CollectionsMarshal.AsSpan(_effects);

    /// <summary>Removes all effects.</summary>
    public void Clear() => _effects.Clear();

    /// <summary>Adds an effect behind those that come before it or at the same time.</summary>
    internal void Add(Effect effect)
    {
        var at = _effects.Count;
        while (at > 0 && _effects[at - 1].Rank > effect.Rank)
        {
            at--;
        }

        _effects.Insert(at, effect);
    }
}
