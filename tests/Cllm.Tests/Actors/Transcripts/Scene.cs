using System.Globalization;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Shards;
using Cllm.Protocol.Workers;
using Cllm.Tests.Protocol;

namespace Cllm.Tests.Actors.Transcripts;

/// <summary>One input of a machine, and what the machine does.</summary>
/// <param name="AtTicks">When.</param>
/// <param name="Input">The input.</param>
/// <param name="IsOwn">Whether the actor finds it itself while it takes the input before it.</param>
/// <param name="Effects">What the machine does.</param>
internal sealed record Entry(long AtTicks, Input Input, bool IsOwn, Effect[] Effects);

/// <summary>
/// The life of one machine in a transcript, in the order in which an actor takes its inputs. A machine may be told anything at any time; an actor is told
/// nothing while it computes, and gives up work whose result is void as soon as it hears of that.
/// </summary>
internal sealed class Scene
{
    private readonly IMachine _machine;
    private readonly List<(long AtTicks, Input Input)> _inputs;
    private readonly Func<Effect, bool> _isDoneAtOnce;
    private readonly EffectList _effects = new();
    private readonly List<Entry> _entries = [];
    private readonly bool[] _isTaken;

    /// <summary>The work under way; none most of the time.</summary>
    private Effect? _work;
    private bool _hasLeft;

    private Scene(List<string> words, List<(long AtTicks, Input Input)> inputs, Func<Effect, bool> isDoneAtOnce)
    {
        (Words, _inputs, _isDoneAtOnce, _machine) = (words, inputs, isDoneAtOnce, Transcript.Make(words));
        _isTaken = new bool[inputs.Count];
    }

    /// <summary>What the machine was made with.</summary>
    public List<string> Words { get; }

    /// <summary>The inputs in the order of an actor.</summary>
    public IReadOnlyList<Entry> Entries => _entries;

    /// <summary>Whether that is another order than the transcript's, or not all of it.</summary>
    public bool IsChanged { get; private set; }

    /// <summary>Whether the last piece of work, which the actor does at once, never ends: the transcript does not say how.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Reads a transcript.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="isDoneAtOnce">Work that the actor does while it takes an input.</param>
    /// <param name="isTold">Whether the actor hears first of all that it starts.</param>
    /// <param name="without">A setting that a machine has of its actor and not of the transcript.</param>
    public static List<Scene> Read(string name, Func<Effect, bool> isDoneAtOnce, bool isTold, string without = "nothing")
    {
        var scenes = new List<Scene>();
        var (atTicks, inputs) = (0L, new List<(long AtTicks, Input Input)>());
        foreach (var line in Transcript.Load(name).Lines)
        {
            var words = TranscriptText.Words(line);
            switch (words.FirstOrDefault())
            {
                case null or "#" or "<":
                    break;
                case "at":
                    atTicks = long.Parse(words[1], CultureInfo.InvariantCulture);
                    break;
                case ">":
                    inputs.Add((atTicks, TranscriptText.ReadInput(line[2..])));
                    break;
                default:
                    (atTicks, inputs) = (0, []);
                    scenes.Add(new(words.FindAll(word => !word.StartsWith(without, StringComparison.Ordinal)), inputs, isDoneAtOnce));
                    break;
            }
        }

        return scenes.ConvertAll(scene => new Scene(scene.Words, [.. Beginning(scene, isTold), .. scene._inputs], isDoneAtOnce).Play());
    }

    private static IEnumerable<(long, Input)> Beginning(Scene scene, bool isTold) =>
        isTold && scene._inputs[0].Input is not MachineStarted ? [(0, new MachineStarted())] : [];

    private Scene Play()
    {
        for (var i = 0; i < _inputs.Count && !IsCut && !_hasLeft; i++)
        {
            if (!_isTaken[i])
            {
                Take(i, isOwn: false);
            }
        }

        IsChanged |= _hasLeft && Array.IndexOf(_isTaken, false) >= 0;
        Assert.True(!IsCut || Array.TrueForAll(_isTaken, taken => taken), "work that never ends is the last of a scene");
        return this;
    }

    private void Take(int input, bool isOwn)
    {
        var (atTicks, told) = _inputs[input];
        _isTaken[input] = true;
        _work = _work is { } under && Answers(under, told) ? null : _work;
        _effects.Clear();
        _machine.Handle(atTicks, told, _effects);
        var effects = _effects.Effects.ToArray();
        _entries.Add(new(atTicks, told, isOwn, effects));
        _hasLeft |= Array.Exists(effects, effect => effect is WorkerLeft);
        _work = Array.FindLast(effects, effect => effect is Work and not SendSlice and not ReleaseBuffers and not ExpectGradients) ?? _work;
        if (_work is { } work && (_isDoneAtOnce(work) || _machine is Worker { IsAtVoidLease: true } or Shard { IsOutdated: true }))
        {
            Finish(work);
        }
    }

    private void Finish(Effect work)
    {
        for (var i = 0; i < _inputs.Count; i++)
        {
            if (!_isTaken[i] && Answers(work, _inputs[i].Input))
            {
                IsChanged |= Array.IndexOf(_isTaken, false) != i;
                Take(i, isOwn: true);
                return;
            }
        }

        IsCut = true;
    }

    private static bool Answers(Effect work, Input input) => (work, input) switch
    {
        (ComputeNode asked, NodeComputed given) => asked.Lease == given.Lease,
        (EvaluateUnits asked, UnitsEvaluated given) => asked.Lease == given.Lease,
        (ReduceSlice asked, SliceReduced given) => (asked.Epoch, asked.Step) == (given.Epoch, given.Step),
        (UpdateSlice asked, SliceUpdated given) => (asked.Epoch, asked.Step) == (given.Epoch, given.Step),
        (CombineStatistics asked, StatisticsCombined given) => (asked.Epoch, asked.Step) == (given.Epoch, given.Step),
        (CombineEvaluation asked, EvaluationCombined given) => (asked.Epoch, asked.Step) == (given.Epoch, given.Step),
        (TakeCheckpoint asked, SnapshotTaken given) => (asked.Epoch, asked.Step) == (given.Epoch, given.Step),
        (TakeCheckpoint asked, CheckpointFailed given) => asked.Step == given.Step,
        (Restore asked, Restored given) => asked.Epoch == given.Epoch,
        (Restore asked, RestoreFailed given) => asked.Epoch == given.Epoch,
        _ => false,
    };
}
