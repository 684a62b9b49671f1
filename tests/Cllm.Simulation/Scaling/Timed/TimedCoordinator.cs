using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Messages;

namespace Cllm.Simulation.Scaling.Timed;

/// <summary>What the coordinator's actor does. It takes note of when each step was done.</summary>
internal sealed class TimedCoordinator(TimedCluster cluster, TimedNode node, CoordinatorSettings settings)
    : TimedActor(cluster, node, new Coordinator(settings))
{
    /// <summary>When each step was done.</summary>
    public List<long> StepTicks { get; } = [];

    protected override void Receive(object message)
    {
        if (message is Input input)
        {
            Feed(input);
        }
    }

    protected override Input? Do(Effect effect)
    {
        switch (effect)
        {
            case Send send:
                Send(send);
                return null;
            case CombineStatistics combine:
                return new StatisticsCombined(combine.Epoch, combine.Step, Payload.Empty);
            case StepReported:
                StepTicks.Add(NowTicks);
                return null;
            case Persist:
                return null;
            default:
                throw Invariant.Broken($"this run's coordinator performs no {effect.GetType().Name}");
        }
    }

    private void Send(Send send)
    {
        switch (send.To.Kind)
        {
            case DestinationKind.Worker:
                var worker = new Cllm.Protocol.Identity.WorkerId(send.To.Index);
                var home = Cluster.Nodes[Cllm.Actors.Cluster.NodeNumbers.NodeOf(worker).Number];
                Tell(home.Workers[send.To.Index - Cllm.Actors.Cluster.NodeNumbers.FirstWorker(home.Id)], send.Message);
                break;
            case DestinationKind.Shard:
                Tell(Cluster.Owners[send.To.Index]!, send.Message, send.Message is ReductionOrdered order ? order.Sources.Length : 0);
                break;
            case DestinationKind.EveryShard:
                foreach (var shard in Cluster.Owners)
                {
                    Tell(shard!, send.Message, send.Message is GradientsExpected expected ? expected.Sources.Length : 0);
                }

                break;
            case DestinationKind.Node:
                var node = Cluster.Nodes[send.To.Index];
                Tell(node.Actor, send.Message);
                if (send.Message is NodeAdmitted)
                {
                    // Who takes part and who owns which shard, with every admission: as large as that many sources.
                    Tell(node.Actor, HostsOnly.Instance, Cluster.Nodes.Length + Cluster.Owners.Length);
                }

                break;
            case DestinationKind.EveryNode:
                foreach (var each in Cluster.Nodes)
                {
                    Tell(each.Actor, send.Message);
                }

                break;
            default:
                throw Invariant.Broken($"nobody is told {send.Message.GetType().Name} in a run without faults");
        }
    }
}
