using System.Diagnostics;
using Cllm.Protocol;

namespace Cllm.Actors;

/// <summary>Performs what a machine decides, in the order in which it decided.</summary>
internal interface IEffectPerformer
{
    /// <summary>The time that the machine is told: the process's own, but where time is simulated.</summary>
    long NowTicks => MachineRunner.NowTicks;

    /// <summary>Performs one effect.</summary>
    /// <returns>The input that finished work gives the machine; none when the effect gives none, or will later.</returns>
    Input? Perform(Effect effect);
}

/// <summary>
/// The one loop that drives a machine inside an actor: feed it, perform its effects, feed it what finished, until nothing is left.
/// </summary>
internal sealed class MachineRunner(IMachine machine, IEffectPerformer performer)
{
    private static readonly long Start = Stopwatch.GetTimestamp();

    private readonly EffectList _effects = new();
    private readonly Queue<Input> _inputs = new();

    /// <summary>The time that machines are told: since the process began to run them, in units of 100 nanoseconds.</summary>
    public static long NowTicks => Stopwatch.GetElapsedTime(Start).Ticks;

    /// <summary>Feeds one input. An exception is the actor's failure: the machine is not used after it.</summary>
    public void Feed(Input input)
    {
        _inputs.Enqueue(input);
        while (_inputs.TryDequeue(out var next))
        {
            _effects.Clear();
            machine.Handle(performer.NowTicks, next, _effects);
            foreach (var effect in _effects.Effects)
            {
                if (performer.Perform(effect) is { } finished)
                {
                    _inputs.Enqueue(finished);
                }
            }
        }
    }
}
