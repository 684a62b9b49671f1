using Cllm.Actors.Channel;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Shards;
using Cllm.Simulation.Channel;
using Cllm.Simulation.Engine;
using Cllm.Simulation.Faults;

namespace Cllm.Simulation.Cluster;

/// <content>The tensor channel between processes: everything with tensors in it is fetched over it, by name, and arrives whole or not at all.</content>
internal sealed partial class SimulatedCluster : IChannelWorld
{
    private const long PassageTicksMax = Scenario.Second / 1000;
    private const long RetryTicks = Scenario.Second / 5;

    /// <summary>A copy that takes longer than this is given up for this step.</summary>
    private const long ReplicaTicksMax = 10 * Scenario.Second;

    /// <summary>How often a state is asked for before there is no checkpoint of it.</summary>
    private const int GatheringsMax = 10;

    private const int ReplicaLane = 0;

    private static readonly string Credential = new('0', 2 * ChannelCredential.Bytes);

    /// <summary>The channel; its nodes have the numbers of their machines.</summary>
    public SimulatedChannel Channel { get; }

    public void After(long ticks, Action then) => Plan(ticks, EventKind.Channel, default, null, then);

    public long? Passage(int from, int to)
    {
        var (left, right) = (Nodes[from], Nodes[to]);
        if (!Network.Reaches(left, right))
        {
            return null;
        }

        // Who stands still sends and takes nothing; the connection holds.
        var paused = Math.Max(left.PausedUntilTicks, right.PausedUntilTicks) - NowTicks;
        return Math.Max(0, paused) + Dice.Between(1, PassageTicksMax);
    }

    public bool Breaks() => Strikes(FaultKind.BrokenTransfer);

    /// <summary>Has something done in a process as soon as it does not stand still, unless the process is over by then.</summary>
    public void In(SimulatedNode node, long ticks, Action then)
    {
        var process = node.Id;
        After(ticks, () =>
        {
            if (!node.IsUp || node.Id != process)
            {
                return;
            }

            if (node.PausedUntilTicks > NowTicks)
            {
                In(node, node.PausedUntilTicks - NowTicks, then);
            }
            else
            {
                then();
            }
        });
    }

    /// <summary>The node that owns a shard, as a process knows it; none when it knows none.</summary>
    public SimulatedNode? OwnerOf(SimulatedNode node, int shard) => node.Known?.SeatOf(shard)?.Node;

    /// <summary>The content of a slice; none where it is rubbish.</summary>
    public object? ContentOf(ShardSeat seat) => Owners[seat.Number] == seat ? Arithmetic.Save(seat.Number) : seat.Copy;

    /// <summary>A shard's slice has come to stand at a step: whoever waits for that in its process or elsewhere is told.</summary>
    public void Stand(ShardSeat seat)
    {
        if (IsCluster && seat.Slice is { } step && ContentOf(seat) is { } content)
        {
            seat.Node.Slices!.Stand(seat.Number, step, Arithmetic.Sections(content)[0]);
        }
    }

    /// <summary>Has a slice, weights and moments, fetched into a process.</summary>
    /// <param name="node">The process.</param>
    /// <param name="owner">Where it is.</param>
    /// <param name="shard">The shard.</param>
    /// <param name="step">The step at which it stands.</param>
    /// <param name="lane">Number of the lane.</param>
    /// <param name="ended">Gets the content, or why there is none; never called when the process dies.</param>
    public ITensorLane FetchState(SimulatedNode node, SimulatedNode owner, int shard, long step, int lane, Action<object?, string> ended)
    {
        var range = Arithmetic.Range(shard);
        var destination = new ArrayDestination(3, range.Length);
        var link = Channel.For(node.Index).Open(owner.Address!, lane);
        link.Fetch(
            TensorRequest.State(PersistedEpoch, new(step), new(shard), range.Offset, range.Length), destination,
            (in TensorRequest _, in FetchResult result) =>
            {
                var (copy, sentence) = (result.Outcome == FetchOutcome.Done ? Arithmetic.Copy(destination.Sections) : null, result.Sentence);
                In(node, 0, () => ended(copy, sentence));
            });
        return link;
    }

    /// <summary>Offers a slice to the node of its replica, which fetches it. The shard hears once how that has ended.</summary>
    public void Offer(ShardSeat seat, ShardHost actor, SendSlice send)
    {
        var isOver = false;
        void End(string? failure)
        {
            if (!isOver)
            {
                isOver = true;
                if (actor.IsAlive)
                {
                    actor.Feed(new SliceSent(send.Step, send.Replica, failure));
                }
            }
        }

        if (Array.Find(Nodes, node => node.Id == send.Replica) is not { IsUp: true } node || !Network.Reaches(seat.Node, node))
        {
            In(seat.Node, RetryTicks, () => End("the node cannot be reached"));
            return;
        }

        ITensorLane? lane = null;
        In(node, Jitter(PassageTicksMax), () => lane = FetchState(node, seat.Node, seat.Number, send.Step.Number, ReplicaLane, (copy, sentence) =>
        {
            if (copy is not null)
            {
                node.Replicas[seat.Number] = (send.Step.Number, copy);
            }

            In(seat.Node, Jitter(PassageTicksMax), () => End(copy is null ? sentence : null));
        }));
        In(seat.Node, ReplicaTicksMax, () =>
        {
            End("the node has not answered");
            lane?.Dispose();
        });
    }

    /// <summary>Gathers the state of a step in the coordinator's process.</summary>
    /// <param name="coordinator">The coordinator.</param>
    /// <param name="step">The step.</param>
    /// <param name="ended">Gets the slices in order, or why there are none.</param>
    public void Gather(CoordinatorHost coordinator, long step, Action<object[]?, string> ended) => Gather(coordinator, step, new object?[ShardCount], 0, 0, ended);

    private void Gather(CoordinatorHost coordinator, long step, object?[] slices, int shard, int failures, Action<object[]?, string> ended)
    {
        if (!coordinator.IsAlive)
        {
            return;
        }

        if (shard == ShardCount)
        {
            ended(slices!, "");
            return;
        }

        void GoOn(object? copy, string sentence)
        {
            slices[shard] = copy;
            if (copy is not null)
            {
                Gather(coordinator, step, slices, shard + 1, failures, ended);
            }
            else if (failures + 1 < GatheringsMax)
            {
                In(coordinator.Node, RetryTicks, () => Gather(coordinator, step, slices, shard, failures + 1, ended));
            }
            else
            {
                ended(null, sentence);
            }
        }

        if (Owners[shard] is not { Actor: not null } seat)
        {
            GoOn(null, $"nobody has shard {shard}");
        }
        else if (seat.Node == coordinator.Node)
        {
            GoOn(seat.Slice == step ? ContentOf(seat) : null, $"shard {shard} stands at step {seat.Slice} when that of step {step} is taken");
        }
        else
        {
            FetchState(coordinator.Node, seat.Node, shard, step, ReplicaLane, GoOn);
        }
    }

    private void OpenChannel(SimulatedNode node)
    {
        node.Address = new(node.Index, $"node-{node.Index}", node.Id.Number + 1, Credential);
        node.Slices = new(this, node);
        Channel.Serve(node.Address, new ProcessStore(this, node, node.Slices));
    }

    private void CloseChannel(SimulatedNode node)
    {
        if (node.Address is { } address)
        {
            node.Slices!.Dispose();
            Channel.Stop(address);
        }
    }
}
