using System.Runtime.InteropServices;
using Cllm.Actors.Channel;
using Cllm.Actors.Local;
using Cllm.Model.Compute;
using Cllm.Model.Shape;
using Cllm.Protocol.Messages;

namespace Cllm.Actors.Cluster;

/// <summary>What a node gives out: sums of its workers' gradients, slices of weights and state, the run's blobs, its checkpoints.</summary>
internal sealed class NodeStore(NodeRun run) : ITensorStore
{
    public TensorSignal Changed => run.Slices.Changed;

    public ITensorReader CreateReader() => new NodeReader(run, run.Settings.Blobs?.CreateReader());
}

/// <summary>Reads for one lane.</summary>
internal sealed class NodeReader(NodeRun run, ITensorReader? blobs) : ITensorReader
{
    /// <summary>For gradients only, and made for the first one: a node of a large cluster has hundreds of readers for weights.</summary>
    private GradientSource[] _sources = [];
    private IGradientSum? _sum;
    private CheckpointReader? _checkpoints;
    private TensorRequest _request;
    private long _version;

    public TensorOpening Open(in TensorRequest request)
    {
        _request = request;
        if (request.Kind == TensorKind.Blob)
        {
            return Blobs?.Open(request) ?? TensorOpening.Refuse(RefusalReason.Unknown, "This node has no blobs.");
        }

        if (request.Number >= run.Ranges.Length)
        {
            return TensorOpening.Refuse(RefusalReason.Unknown, $"There is no shard {request.Number}; the run has {run.Ranges.Length}.");
        }

        var range = run.Ranges[request.Number];
        if (request.Offset < range.Offset || request.Offset + request.Length > range.End)
        {
            return TensorOpening.Refuse(RefusalReason.WrongRange, $"Shard {request.Number} has {range.Length} numbers from {range.Offset}.");
        }

        return request.Kind switch
        {
            TensorKind.Gradient => OpenGradient(),
            TensorKind.Update => OpenUpdate(range),
            _ => OpenSlice(),
        };
    }

    public ReadOnlySpan<byte> Read(int section, long offset, int length, Span<byte> scratch)
    {
        if (_request.Kind == TensorKind.Blob)
        {
            return Blobs!.Read(section, offset, length, scratch);
        }

        var range = new ParameterRange((int)(_request.Offset + (offset / sizeof(float))), length / sizeof(float));
        if (_request.Kind == TensorKind.Gradient)
        {
            return ReadGradient(range, scratch[..length]);
        }

        if (_request.Kind == TensorKind.Update)
        {
            return MemoryMarshal.AsBytes(run.Updates.Of(_request.Number).Span.Slice((int)(offset / sizeof(float)), range.Length));
        }

        var state = run.Host.State;
        var vector = (_request.Kind == TensorKind.Moments ? section + 1 : section) switch
        {
            0 => state.Weights,
            1 => state.FirstMoment,
            _ => state.SecondMoment,
        };
        return MemoryMarshal.AsBytes(vector.Span.Slice(range.Offset, range.Length));
    }

    public TensorRefusal Close() => _request.Kind switch
    {
        TensorKind.Blob => Blobs!.Close(),
        TensorKind.Gradient => Look() == GradientState.Ready ? TensorRefusal.None : new(RefusalReason.Withdrawn, "A gradient was released while it was read."),
        TensorKind.Update => run.Updates.IsAt(_request.Number, _version) ? TensorRefusal.None : new(RefusalReason.Withdrawn, "The next step was reduced meanwhile."),
        _ => run.Slices.IsAt(_request.Number, _version) ? TensorRefusal.None : new(RefusalReason.Withdrawn, "The slice changed while it was read."),
    };

    public void Dispose()
    {
        blobs?.Dispose();
        _checkpoints?.Dispose();
        _sum?.Dispose();
    }

    /// <summary>What reads the blob that is asked for.</summary>
    private ITensorReader? Blobs => CheckpointReader.Gives(_request.Number) ? _checkpoints ??= new(run.Host.Checkpoints) : blobs;

    private TensorOpening OpenSlice()
    {
        var (weights, moments, version) = run.Slices.Look(_request.Number);
        _version = version;
        var step = _request.Step.Number;
        var areWeightsFine = _request.Kind == TensorKind.Moments || weights == step;
        var areMomentsFine = _request.Kind == TensorKind.Weights || moments == step;
        return areWeightsFine && areMomentsFine ? TensorOpening.Ready
            : weights > step ? TensorOpening.Refuse(RefusalReason.Gone, $"The weights of shard {_request.Number} stand at step {weights} here.")
            : WaitForOwned();
    }

    /// <summary>
    /// Only an owner's slice comes to stand at the next step by itself: who asks another node has heard of an owner that is none any more, and is to ask the new one.
    /// </summary>
    private TensorOpening WaitForOwned() => run.IsOwnedHere(_request.Number) || _request.Kind == TensorKind.State
        ? TensorOpening.NotYet
        : TensorOpening.Refuse(RefusalReason.Unknown, $"Shard {_request.Number} is not owned here.");

    /// <summary>
    /// Given out from the moment in which the owner's slice stands at the step no more, so that nobody is ahead of a commit; not there any more once it stands
    /// at the next one and has begun to reduce that.
    /// </summary>
    private TensorOpening OpenUpdate(ParameterRange shard)
    {
        if (_request.Offset != shard.Offset || _request.Length != shard.Length)
        {
            return TensorOpening.Refuse(RefusalReason.WrongRange, $"The update of shard {_request.Number} is given out whole only.");
        }

        var slice = run.Slices.WeightsOf(_request.Number);
        (var step, _version) = run.Updates.Look(_request.Number);
        return step == _request.Step.Number && slice != step ? TensorOpening.Ready
            : slice > _request.Step.Number
            ? TensorOpening.Refuse(RefusalReason.Gone, $"The update of shard {_request.Number} on from step {_request.Step} is not there any more.")
            : WaitForOwned();
    }

    private TensorOpening OpenGradient()
    {
        if (_request.Sources.Length > run.Tree.Leaves)
        {
            return TensorOpening.Refuse(RefusalReason.WrongRange, $"The run has {run.Tree.Leaves} leaves.");
        }

        if (_sum is null)
        {
            (_sum, _sources) = (run.Host.CreateSum(), new GradientSource[run.Tree.Leaves]);
        }

        return Look() switch
        {
            GradientState.Ready => TensorOpening.Ready,
            GradientState.Coming => TensorOpening.NotYet,
            _ => TensorOpening.Refuse(RefusalReason.Gone, "A worker of this node does not hold that gradient."),
        };
    }

    /// <summary>Looks for the range in all buffers: it may be final in some before it is in others.</summary>
    private GradientState Look()
    {
        var sources = _request.Sources.Span;
        for (var i = 0; i < sources.Length; i++)
        {
            if (run.Gradients.Look(sources[i], _request.Offset, out _sources[i]) is var state && state != GradientState.Ready)
            {
                return state;
            }
        }

        return GradientState.Ready;
    }

    /// <summary>
    /// Copies, although a single buffer could be sent from where it is: a worker that fails gives its memory back as soon as nobody is amid a chunk, and not only
    /// when a slow peer has taken it.
    /// </summary>
    private ReadOnlySpan<byte> ReadGradient(ParameterRange range, Span<byte> scratch)
    {
        run.Gradients.BeginReading();
        try
        {
            if (Look() != GradientState.Ready)
            {
                return [];
            }

            var destination = MemoryMarshal.Cast<byte, float>(scratch);
            var sources = _sources.AsSpan(0, _request.Sources.Length);
            for (var at = 0; at < range.Length; at += TreeSum.Chunk)
            {
                var part = new ParameterRange(range.Offset + at, Math.Min(TreeSum.Chunk, range.Length - at));
                _sum!.Add(sources, _request.Node.Level, _request.Node.Index, part).CopyTo(destination[at..]);
            }

            return scratch;
        }
        finally
        {
            run.Gradients.EndReading();
        }
    }
}
