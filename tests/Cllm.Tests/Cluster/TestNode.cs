using System.Net;
using Akka.Actor;
using Akka.Configuration;
using Cllm.Actors;
using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;
using Cllm.Actors.Local;
using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Model.Files;
using Cllm.Model.Shape;
using Cllm.Protocol.Identity;
using Cllm.Tests.Actors;
using Cllm.Tests.Bootstrap;
using Cllm.Tests.Checkpoints;
using Cllm.Tests.Compute;

namespace Cllm.Tests.Cluster;

/// <summary>A process of a cluster, as far as one process can be several: an actor system, a state and a channel of its own, over loopback.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private static readonly GptShape Shape = new(Vocabulary: 300, Block: 32, Layers: 2, Heads: 4, Width: 64);

    private TestNode(ActorSystem system, RunHost host, ClusterNode node, RecordingObserver observer) =>
        (System, Host, Node, Observer) = (system, host, node, observer);

    public ActorSystem System { get; }

    public RunHost Host { get; }

    public ClusterNode Node { get; }

    public RecordingObserver Observer { get; }

    /// <summary>The node's number.</summary>
    public int Number => Node.Channel.Node;

    public Address Address => Akka.Cluster.Cluster.Get(System).SelfAddress;

    public string Digest => Cllm.Model.Files.Digest.Weights(Host.State.Layout, Host.State.Weights.Span);

    /// <summary>The plan of every run of these tests.</summary>
    public static RunPlan Plan(long steps) => TinyRun.PlanFor(Shape, batch: 9, leaves: 8, dropout: 0.1f, heldOutRows: 5, steps: steps);

    /// <summary>The digest after so many steps without actors.</summary>
    public static string ExpectedDigest(long steps)
    {
        using var run = new TinyRun(Plan(steps));
        for (var step = 0L; step < steps; step++)
        {
            run.Step(step);
        }

        return Cllm.Model.Files.Digest.Weights(run.State.Layout, run.State.Weights.Span);
    }

    /// <summary>Starts a process.</summary>
    /// <param name="steps">Steps of the run.</param>
    /// <param name="seed">The process to join; none begins a cluster.</param>
    /// <param name="workers">Its workers.</param>
    /// <param name="isCoordinator">Whether it may coordinate.</param>
    /// <param name="quorum">Processes that may coordinate, of which so many must see each other.</param>
    /// <param name="disk">Where its checkpoints are; a new disk when none is given.</param>
    /// <param name="folder">The folder of its checkpoints on the real disk, for tests in which others copy them; instead of a disk.</param>
    /// <param name="hasInitialWeights">Whether it can make the state of the run's beginning.</param>
    /// <param name="change">Changes to the settings.</param>
    /// <param name="observer">Who watches.</param>
    /// <param name="watch">What stands before the process's store; nothing when not given.</param>
    public static TestNode Start(
        long steps, TestNode? seed = null, int workers = 1, bool? isCoordinator = null, int quorum = 1, MemoryFileStore? disk = null,
        string? folder = null, bool hasInitialWeights = true, Func<ClusterSettings, ClusterSettings>? change = null, RecordingObserver? observer = null,
        Func<ITensorStore, ITensorStore>? watch = null)
    {
        observer ??= new();
        var plan = Plan(steps);
        var hocon = Hocon(isCoordinator ?? seed is null, quorum);
        var system = ActorSystem.Create("cllm", hocon);
        var cluster = Akka.Cluster.Cluster.Get(system);
        cluster.Join(seed?.Address ?? cluster.SelfAddress);
        IFileStore store = folder is null ? disk ?? new() : DiskFileStore.Instance;
        var host = new RunHost(plan, new CheckpointStore(store, folder ?? "/run", 2), "test")
        {
            InitialWeights = weights =>
            {
                Assert.True(hasInitialWeights, "only the process that started the run has its first weights");
                InitialWeights.Draw(plan.Layout, plan.Configuration.Seed, weights);
            },
            Warn = observer.Note,
        };
        var first = seed is null ? host.Restore() : 0;
        var settings = new ClusterSettings
        {
            Run = new("test", "test", RunIdentity.ProtocolVersion),
            Leaves = plan.Configuration.Leaves,
            Steps = steps,
            Workers = workers,
            Shards = 3,
            FirstStep = first,
            Hocon = hocon,
        };
        settings = change?.Invoke(settings) ?? settings;
        var identity = new ChannelIdentity(settings.Node.Number, settings.Run.ToString());
        var node = ClusterNode.Start(system, settings, host, observer,
            given => SocketChannel.Open(new IPEndPoint(IPAddress.Loopback, 0), null, watch?.Invoke(given) ?? given, identity));
        return new(system, host, node, observer);
    }

    /// <summary>How the run ended for this process; with all notes where it did not end in time.</summary>
    public async Task<TrainingEnd> EndAsync(int seconds = 40)
    {
        try
        {
            return await Node.End.WaitAsync(TimeSpan.FromSeconds(seconds));
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"no end after {Observer.Steps.Count} steps: {string.Join("; ", Observer.Notes)}");
        }
    }

    /// <summary>Completed when the process is a member that counts for the quorum: whoever only joins yet does not.</summary>
    public Task UpAsync() => OnLoopback.UpAsync(System);

    /// <summary>The process is no more: nothing is said to anybody, its connections break.</summary>
    public async Task KillAsync()
    {
        await System.Terminate();
        await Node.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        Host.Dispose();
    }

    internal static Config Hocon(bool isCoordinator, int quorum) => ConfigurationFactory.ParseString($$"""
        akka {
          actor.provider = cluster
          remote.dot-netty.tcp {
            hostname = "127.0.0.1"
            port = 0
          }
          coordinated-shutdown.run-by-actor-system-terminate = off
          cluster {
            roles = [{{(isCoordinator ? "coordinator, worker" : "worker")}}]
            periodic-tasks-initial-delay = 50ms
            gossip-interval = 100ms
            leader-actions-interval = 100ms
            unreachable-nodes-reaper-interval = 200ms
            failure-detector {
              heartbeat-interval = 200ms
              acceptable-heartbeat-pause = 4s
            }
            split-brain-resolver {
              stable-after = 2s
              static-quorum.quorum-size = {{quorum}}
            }
          }
        }
        cllm {
          settle = 2s
          announce = 500ms
          patience = 3s
        }
        """).WithFallback(Cllm.Actors.Hocon.Load());
}
