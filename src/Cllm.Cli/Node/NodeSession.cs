using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Akka.Configuration;
using Cllm.Actors;
using Cllm.Actors.Bootstrap;
using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;
using Cllm.Actors.Inspection;
using Cllm.Actors.Local;
using Cllm.Cli.Display;
using Cllm.Cli.Inspect;
using Cllm.Cli.Train;
using Cllm.Model;
using Cllm.Model.Compute;
using Cllm.Model.Run;
using Cllm.Model.Text;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;

namespace Cllm.Cli.Node;

/// <summary>`cllm node` from the request to the end of the run, or until it is asked to leave.</summary>
public sealed class NodeSession
{
    private readonly NodeRequest _request;
    private readonly Terminal _terminal;
    private readonly RunControl _control;
    private readonly CancellationToken _stop;
    private readonly ClusterSystem _network;

    /// <summary>Nodes of the run that may be asked what it is.</summary>
    private readonly IReadOnlyList<NodeAddress> _seeds;

    /// <summary>The one by which this process joins.</summary>
    private NodeAddress _join;

    private NodeSession(NodeRequest request, Terminal terminal, RunControl control, CancellationToken stop)
    {
        (_request, _terminal, _control, _stop) = (request, terminal, control, stop);
        Config hocon = Hocon.Load(request.Hocon);
        _seeds = request.Join is { } join ? [join] : Hocon.SeedNodes(hocon);
        if (_seeds.Count == 0)
        {
            throw new InputException("A node of the run is needed: give one with --join HOST:PORT, or some as akka.cluster.seed-nodes in the actor configuration.");
        }

        _join = _seeds[0];
        NodeAddress listen = request.Listen ?? NodeAddress.FacingAny(_seeds);
        _network = new ClusterSystem
        {
            Hocon = hocon,
            Listen = listen,
            Certificates = request.TlsPath is null ? null : NodeCertificates.Load(request.TlsPath),
            Roles = request.IsStandby ? [ClusterNode.CoordinatorRole, ClusterSystem.WorkerRole] : [ClusterSystem.WorkerRole],
        };
        _network.RequireFree();
    }

    /// <summary>Carries a request out.</summary>
    /// <param name="request">What the user asked.</param>
    /// <param name="terminal">Where output goes.</param>
    /// <param name="outside">Asks to leave.</param>
    /// <returns>The exit code.</returns>
    public static int Run(NodeRequest request, Terminal terminal, CancellationToken outside)
    {
        using var signals = new StopSignals(terminal.OwnsProcess, outside);
        using var inspection = RunInspection.Start(request.MetricsListen);
        return new NodeSession(request, terminal, inspection.Control ?? new RunControl(), signals.Token).RunAsync().GetAwaiter().GetResult();
    }

    private async Task<int> RunAsync()
    {
        _terminal.Say($"Asking {string.Join(" or ", _seeds)} what its run is …");
        (RunInvitation invitation, _join) = await Invitations.AskAsync(_seeds, _network, Hocon.JoinPatience(_network.Hocon), _stop).ConfigureAwait(false);
        RefuseStandby(invitation);
        RunOptions options = Spread(invitation);
        MemoryCheck.OfNode(invitation.Configuration, options).Require(_terminal.Fail);
        var identity = new RunIdentity(
            ConfigurationDigest.Of(invitation.Configuration), invitation.Configuration.TokenizerDigest, RunIdentity.ProtocolVersion);
        NodeId node = NodeNumbers.Draw();
        var there = new ChannelAddress(
            invitation.ChannelNode, invitation.ChannelHost, invitation.ChannelPort, invitation.ChannelCredential);
        ReceivedData data;
        using (ITensorLane lane = ClusterChannel.Caller(_network, node, identity).Open(there, ITensorTransport.LanesMax - 1))
        {
            data = await ReceivedData.ReceiveAsync(invitation, lane, _request.DataPath, _terminal, _stop).ConfigureAwait(false);
        }

        using JoinedRun run = JoinedRun.Create(data, _request.OutPath, options);
        return await TakePartAsync(run, options, invitation, identity, node).ConfigureAwait(false);
    }

    private async Task<int> TakePartAsync(JoinedRun run, RunOptions options, RunInvitation invitation, RunIdentity identity, NodeId node)
    {
        RunConfiguration configuration = run.Configuration;
        using IProgressDisplay display = new PlainProgress(_terminal.Output, configuration.Steps, 0, TimeProvider.System);
        using var observer = new NodeObserver(run.Plan, run.Folder?.MetricsPath, display);
        using var host = new RunHost(run.Plan, run.Checkpoints(options), identity.Configuration)
        {
            InitialWeights = weights => run.FillInitialWeights(run.Plan.Layout, weights),
            Warn = _terminal.Fail,
            SnapshotTaken = observer.SnapshotTaken,
            BeforeCheckpoint = observer.CheckpointFollows,
            ThreadsPerWorker = options.ThreadsPerWorker,
            Recompute = options.Recompute,
        };
        using RunBlobs blobs = run.OpenBlobs();
        var part = new ClusterPart
        {
            Network = _network with { Coordinators = invitation.Coordinators },
            Seed = _join,
            Settings = new ClusterSettings
            {
                Run = identity,
                Node = node,
                Leaves = configuration.Leaves,
                Steps = configuration.Steps,
                Workers = options.Workers,
                Shards = invitation.Shards,
                NodesMin = invitation.NodesMin,
                EvaluateEvery = configuration.EvaluateEvery,
                CheckpointEvery = options.CheckpointEvery,
                Name = $"the run at {_join}",
                StepTokens = run.Plan.BatchTokens,
                Hocon = _network.Hocon,
                Blobs = blobs,
            },
            Invitation = invitation,
            Note = display.Note,
            Control = _control,
        };
        _terminal.Say(
            $"Joined the run at {_join}: {Format.Count(run.Plan.Layout.Parameters)} parameters, {configuration.Steps} steps; "
            + $"{Format.Plural(options.Workers, "worker")} here, {Format.Plural(options.ThreadsPerWorker, "thread")} each.");
        if (run.LacksCheckpoint(host.Checkpoints))
        {
            display.Note("The run started from a given model: this process has no state to go back to before the run's first checkpoint has come");
        }

        using CancellationTokenRegistration note = _stop.Register(
            () => display.Note("Leaving after what is being computed. Ctrl-C again leaves at once."));
        long started = Stopwatch.GetTimestamp();
        TrainingEnd end = await TakeAsync(part, host, observer, display).ConfigureAwait(false);
        if (observer.Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return Tell(end, run, host, observer, Stopwatch.GetElapsedTime(started));
    }

    private async Task<TrainingEnd> TakeAsync(ClusterPart part, RunHost host, NodeObserver observer, IProgressDisplay display)
    {
        using var over = new CancellationTokenSource();
        Task telling = NodeProgress.TellAsync(_control, () => part.Settings.Node.Number, () => observer.FirstStep is not null, display, over.Token);
        try
        {
            return await part.TakeAsync(host, observer, _stop).ConfigureAwait(false);
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await telling.ConfigureAwait(false);
        }
    }

    private int Tell(TrainingEnd end, JoinedRun run, RunHost host, NodeObserver observer, TimeSpan time)
    {
        if (end.Outcome == RunOutcome.Finished)
        {
            TellFinished(end, run, host, observer, time);
            return ExitCode.Success;
        }

        if (end.Outcome == RunOutcome.Stopped && !end.HasLeft && end.HasCoordinated)
        {
            _terminal.Fail(RunSummary.StoppedLine(run.FolderPath!, end.CommittedSteps, run.Configuration.Steps));
            return ExitCode.Interrupted;
        }

        if (_stop.IsCancellationRequested)
        {
            _terminal.Fail($"Left the run at {_join}, which goes on without this process.");
            return ExitCode.Interrupted;
        }

        if (end.HasLeft)
        {
            _terminal.Say($"Drained: the run at {_join} goes on without this process, which may be started again at any time.");
            return ExitCode.Success;
        }

        if (end.Outcome == RunOutcome.Stopped)
        {
            _terminal.Fail(end.CommittedSteps == 0
                ? $"The run at {_join} was stopped before its first step was done; join again when it begins."
                : $"The run at {_join} was stopped, with a checkpoint; join again when it goes on.");
            return ExitCode.Interrupted;
        }

        if (end.IsRefused)
        {
            throw new InputException($"The run at {_join} does not take this process in: {end.Sentence.TrimEnd('.')}.");
        }

        _terminal.Fail($"This process takes part no longer: {end.Sentence.TrimEnd('.')}.");
        return ExitCode.Failure;
    }

    private void TellFinished(TrainingEnd end, JoinedRun run, RunHost host, NodeObserver observer, TimeSpan time)
    {
        if (!end.HasCoordinated)
        {
            _terminal.Say($"The run is done after {run.Configuration.Steps} steps.");
            return;
        }

        if (observer.FirstStep is null)
        {
            // It came when all steps were done: what it knows for certain is the checkpoint at their end.
            host.Restore();
        }

        long steps = observer.FirstStep is { } first ? end.CommittedSteps - first : 0;
        new FinishedRun
        {
            Path = run.FolderPath!,
            FolderPath = run.Folder!.FolderPath,
            Plan = run.Plan,
            State = host.State,
            Tokenizer = File.Exists(run.TokenizerPath) ? TokenizerFile.Load(run.TokenizerPath) : null,
            Tokens = run.Tokens,
        }.Show(_terminal, observer.Loss, time, steps * run.Plan.BatchTokens / time.TotalSeconds);
    }

    private void RefuseStandby(RunInvitation invitation)
    {
        if (_request.IsStandby && invitation.Coordinators == 1)
        {
            throw new InputException($"The run at {_join} was started without --standbys, so none can take it over; leave --standby out.");
        }
    }

    private RunOptions Spread(RunInvitation invitation) => new TrainPlan
    {
        Leaves = invitation.Configuration.Leaves,
        Workers = _request.Workers,
        ThreadsPerWorker = _request.ThreadsPerWorker,
        Recompute = _request.Recompute,
        CheckpointEvery = invitation.CheckpointEvery,
    }.Spread(Environment.ProcessorCount);
}
