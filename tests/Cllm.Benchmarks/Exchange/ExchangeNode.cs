using System.Net;
using Akka.Actor;
using Cllm.Actors;
using Cllm.Actors.Bootstrap;
using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;
using Cllm.Actors.Local;
using Cllm.Cli.Bench;
using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Model.Files;
using Cllm.Model.Run;
using Cllm.Model.Shape;
using Cllm.Numerics.Memory;
using Cllm.Protocol.Identity;

namespace Cllm.Benchmarks.Exchange;

/// <summary>
/// One of two processes of a run of GPT-2's smallest shape whose worker has its gradient already. All else is what trains: actors,
/// coordinator, shards, channel.
/// </summary>
internal sealed class ExchangeNode
{
    private readonly ActorSystem _system;

    private ExchangeNode(ActorSystem system, ClusterNode node, long parameters) => (_system, End, Parameters) = (system, node.End, parameters);

    /// <summary>Completed when it takes part no longer.</summary>
    public Task<TrainingEnd> End { get; }

    /// <summary>Parameters of the model.</summary>
    public long Parameters { get; }

    /// <summary>The port of its actor system.</summary>
    public int Port => Akka.Cluster.Cluster.Get(_system).SelfAddress.Port!.Value;

    /// <summary>Starts it.</summary>
    /// <param name="seed">The port of the process to join; none begins the run.</param>
    /// <param name="exchange">What both are started with.</param>
    /// <param name="tell">Gets the marks of this process.</param>
    /// <param name="note">Gets the run's notes.</param>
    public static ExchangeNode Start(int? seed, ExchangeSettings exchange, Action<StepMark> tell, Action<string> note)
    {
        var plan = (BenchShape.Named("gpt2-1024") with { Batch = 2, Leaves = 2 }).Plan(1_000_000);
        var network = new ClusterSystem
        {
            Hocon = Hocon.Load(),
            Listen = new("127.0.0.1", 0),
            Roles = seed is null ? [ClusterNode.CoordinatorRole, ClusterSystem.WorkerRole] : [ClusterSystem.WorkerRole],
        };
        var settings = new ClusterSettings
        {
            Run = new("exchange", "", RunIdentity.ProtocolVersion),
            Leaves = plan.Configuration.Leaves,
            Steps = plan.Configuration.Steps,
            Workers = 1,
            Shards = exchange.Shards,
            WorkersToStart = 2,
            NodesToStart = 2,
            Hocon = network.Hocon,
        };
        var leaf = TimeSpan.FromMilliseconds(exchange.LeafMilliseconds);
        var gradient = new AlignedBuffer(plan.Layout.Length);
        gradient.Span.Fill(1e-3f);
        var host = new RunHost(plan, new CheckpointStore(DiskFileStore.Instance, Path.Combine(Path.GetTempPath(), "cllm-exchange"), 1), "exchange")
        {
            InitialWeights = static weights => weights.Fill(0.02f),
            Warn = note,
            MakeWorker = _ => new MarkingWorker(gradient, leaf, () => settings.Traffic.BytesReceived, tell),
        };
        if (seed is null)
        {
            host.Restore();
        }

        var system = network.StartNode();
        var cluster = Akka.Cluster.Cluster.Get(system);
        var node = ClusterNode.Start(system, settings, host, new Listener(note), store =>
        {
            var identity = new ChannelIdentity(settings.Node.Number, "exchange");
            var limits = new ChannelLimits { HasMachineSocket = !exchange.IsOverTcp };
            var channel = SocketChannel.Open(new(IPAddress.Loopback, 0), null, store, identity, limits, counters: settings.Traffic, note: note);
            return exchange.HasCopies ? channel : channel with { Transport = new WithoutCopies(channel.Transport) };
        });
        cluster.Join(seed is { } port ? network.AddressOf(new("127.0.0.1", port)) : cluster.SelfAddress);
        return new(system, node, plan.Layout.Parameters);
    }

    private sealed class Listener(Action<string> note) : ITrainingObserver
    {
        public void StepDone(long step, StepScalars scalars, TimeSpan elapsed)
        {
            // The marks say more.
        }

        public void EvaluationDone(long step, double loss)
        {
            // There is no held-out data.
        }

        public void CheckpointDone(long step, string digest) => note($"a checkpoint of step {step} was written");

        public void Note(string reason) => note(reason);

        public void Failed(string sentence) => note(sentence);
    }

    /// <summary>A transport that fetches everything but what only copies of slices need: their moments, and updates in place of weights.</summary>
    private sealed class WithoutCopies(ITensorTransport transport) : ITensorTransport
    {
        public ITensorLane Open(ChannelAddress peer, int lane) => new LaneWithoutCopies(transport.Open(peer, lane));
    }

    private sealed class LaneWithoutCopies(ITensorLane lane) : ITensorLane
    {
        public void Fetch(in TensorRequest request, ITensorDestination destination, FetchEnded ended)
        {
            if (request.Kind is TensorKind.Moments or TensorKind.Update)
            {
                ended(request, FetchResult.Refused(new(RefusalReason.Unknown, "No copies are made.")));
                return;
            }

            lane.Fetch(request, destination, ended);
        }

        public void Cancel() => lane.Cancel();

        public void Dispose() => lane.Dispose();
    }
}
