using Akka.Actor;
using Cllm.Actors.Channel;
using Cllm.Model.Compute;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Cluster;

/// <summary>What is fetched, and from where.</summary>
internal readonly record struct SliceAim(TensorKind Kind, Step Step, ChannelAddress From);

/// <summary>A slice that is to be here, all of it.</summary>
/// <param name="Wanted">What, and where from.</param>
/// <param name="Ended">Gets why it cannot be had; none when it is here.</param>
/// <param name="Began">When it was ordered.</param>
internal sealed record SliceOrder(SliceWanted Wanted, Action<string?> Ended, long Began);

/// <summary>The fetch of one shard.</summary>
internal sealed class SliceFetch : IDisposable
{
    private readonly NodeRun _run;
    private readonly int _shard;
    private readonly SliceDestination _weights;
    private readonly SliceDestination _moments;
    private readonly SliceDestination _state;
    private BufferDestination? _update;
    private IShardCompute? _copy;

    public SliceFetch(NodeRun run, int shard, IActorRef self)
    {
        var state = run.Host.State;
        (_run, _shard) = (run, shard);
        Lane = new(run.Channel.Transport, Lanes.Slice(shard));
        _weights = new(run.Slices, shard, SliceParts.Weights, state.Weights);
        _moments = new(run.Slices, shard, SliceParts.Moments, state.FirstMoment, state.SecondMoment);
        _state = new(run.Slices, shard, SliceParts.All, state.Weights, state.FirstMoment, state.SecondMoment);
        Ended = (in TensorRequest request, in FetchResult result) =>
        {
            if (result.Outcome == FetchOutcome.Done)
            {
                TakeWhole(request);
            }

            self.Tell(new SliceFetchEnded(shard, request.Kind, request.Epoch, request.Step, result), ActorRefs.NoSender);
        };
    }

    public MovingLane Lane { get; }

    public FetchEnded Ended { get; }

    /// <summary>What is being fetched; none when nothing is.</summary>
    public SliceAim? Aim { get; set; }

    public bool IsCancelled { get; set; }

    /// <summary>Whether it failed just now.</summary>
    public bool IsResting { get; set; }

    /// <summary>The whole slice that was ordered; none most of the time.</summary>
    public SliceOrder? Order { get; set; }

    /// <summary>The step at which the owner offered its slice last; none when this node is to hold no copy.</summary>
    public Step? Offered { get; set; }

    /// <summary>The step whose update could not be had.</summary>
    public Step? NoUpdateOf { get; set; }

    public ITensorDestination DestinationOf(TensorKind kind) => kind switch
    {
        TensorKind.State => _state,
        TensorKind.Moments => _moments,
        TensorKind.Update => DestinationOfUpdate(),
        _ => _weights,
    };

    public void Dispose()
    {
        Lane.Dispose();
        _copy?.Dispose();
    }

    private BufferDestination DestinationOfUpdate()
    {
        _run.Updates.Change(_shard);
        _copy ??= _run.CreateShard(new(_shard));
        return _update ??= new(_run.Ranges[_shard].Offset, _run.Updates.Of(_shard));
    }

    /// <summary>Here, on the lane's thread, and not by the actor: workers that wait for the last slice begin at once, and an update takes its time.</summary>
    private void TakeWhole(in TensorRequest request)
    {
        var step = request.Step.Number;
        switch (request.Kind)
        {
            case TensorKind.Update:
                // Nobody else writes to the slice as long as this fetch has not been told to have ended.
                _run.Slices.Change(_shard, SliceParts.All);
                _copy!.Apply(step, [], _run.Updates.ScalarsOf(_shard));
                _run.Slices.Stand(_shard, SliceParts.All, step + 1);
                break;
            case TensorKind.State:
                _run.Slices.Stand(_shard, SliceParts.All, step);
                break;
            case TensorKind.Moments:
                _run.Slices.Stand(_shard, SliceParts.Moments, step);
                break;
            default:
                _run.Slices.Stand(_shard, SliceParts.Weights, step);
                break;
        }
    }
}
