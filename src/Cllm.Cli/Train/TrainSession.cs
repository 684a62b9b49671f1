using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Akka.Configuration;
using Cllm.Actors;
using Cllm.Actors.Bootstrap;
using Cllm.Actors.Local;
using Cllm.Cli.Display;
using Cllm.Cli.Inspect;
using Cllm.Cli.Node;
using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Model.Files;
using Cllm.Model.Run;
using Cllm.Protocol.Coordination;

namespace Cllm.Cli.Train;

/// <summary>`cllm train` from the request to the sample: prepare, train, export, summarize.</summary>
public sealed class TrainSession : IDisposable
{
    private readonly PreparedRun _run;
    private readonly RunPlan _plan;
    private readonly RunHost _host;
    private readonly Terminal _terminal;
    private readonly RunInspection _inspection;
    private readonly Config _hocon;
    private RunObserver? _observer;
    private RunMetrics? _metrics;

    private TrainSession(PreparedRun run, Terminal terminal, RunInspection inspection, Config hocon)
    {
        (_inspection, _hocon) = (inspection, hocon);
        _run = run;
        _terminal = terminal;
        _plan = run.Plan();
        var checkpoints = new CheckpointStore(DiskFileStore.Instance, run.Folder.FolderPath, run.Options.CheckpointsKept);
        _host = new RunHost(_plan, checkpoints, run.Folder.ConfigurationDigest)
        {
            InitialWeights = weights => run.FillInitialWeights(_plan.Layout, weights),
            Warn = terminal.Fail,
            SnapshotTaken = step => _metrics!.SnapshotTaken(step),
            BeforeCheckpoint = (step, digest) => _metrics!.CheckpointFollows(step, digest),
            ThreadsPerWorker = run.Options.ThreadsPerWorker,
            Recompute = run.Options.Recompute,
        };
    }

    /// <summary>Carries a request out.</summary>
    /// <param name="request">What the user asked.</param>
    /// <param name="terminal">Where output goes.</param>
    /// <param name="stop">Asks to finish the step, write a checkpoint and leave.</param>
    /// <returns>The exit code.</returns>
    public static int Run(TrainRequest request, Terminal terminal, CancellationToken stop)
    {
        // Asked here, so that a fault in it leaves no run's folder behind.
        Config hocon = Hocon.Load(request.Hocon);
        ClusterSystem? network = request.Cluster is null ? null : StartedRun.Network(request.Cluster, hocon);
        using RunInspection inspection = request is { MetricsListen: null, Cluster: not null }
            ? RunInspection.StartUsual(terminal.Fail)
            : RunInspection.Start(request.MetricsListen);
        using PreparedRun run = request.Resume ? PreparedRun.Resume(request, terminal) : PreparedRun.Start(request, terminal);
        using var session = new TrainSession(run, terminal, inspection, hocon);
        return session.Run(request, network, stop);
    }

    /// <inheritdoc/>
    public void Dispose() => _host.Dispose();

    private int Run(TrainRequest request, ClusterSystem? network, CancellationToken outside)
    {
        long first = _host.Restore();
        Introduce(first);
        if (first == _run.Configuration.Steps)
        {
            Finish(null, TimeSpan.Zero, 0);
            return ExitCode.Success;
        }

        long started = Stopwatch.GetTimestamp();
        TrainingEnd end;
        using (var signals = new StopSignals(_terminal.OwnsProcess, outside))
        {
            end = Train(first, request, network, signals.Token);
        }

        // From here on a signal has its usual effect: the last checkpoint is written, and what follows can be had again with --resume.
        TimeSpan time = Stopwatch.GetElapsedTime(started);
        if (end.Outcome == RunOutcome.Finished)
        {
            Finish(_observer!.Loss, time, (end.CommittedSteps - first) * _plan.BatchTokens / time.TotalSeconds);
            return ExitCode.Success;
        }

        if (end.Outcome == RunOutcome.Failed)
        {
            _terminal.Fail($"Training ended after step {end.CommittedSteps}: {end.Sentence.TrimEnd('.')}.");
            return ExitCode.Failure;
        }

        if (end.HasLeft)
        {
            _terminal.Say("Drained: the run goes on without this process; whoever coordinates it writes its checkpoints and its model from now on.");
            return ExitCode.Success;
        }

        _terminal.Fail(RunSummary.StoppedLine(_run.Path, end.CommittedSteps, _run.Configuration.Steps));
        return ExitCode.Interrupted;
    }

    private void Introduce(long first)
    {
        RunConfiguration run = _run.Configuration;
        _terminal.Say(
            $"{Format.Count(_plan.Layout.Parameters)} parameters: {Format.Plural(run.Shape.Layers, "layer")} of width {run.Shape.Width}, "
            + $"{Format.Plural(run.Shape.Heads, "head")}, block {run.Shape.Block}, vocabulary {run.Shape.Vocabulary} ({run.Tokenizer}).");
        _terminal.Say(
            $"{Format.Count(_run.Split.TrainingCount)} tokens to train on, {Format.Count(_run.Split.HeldOutCount)} held out; "
            + $"{Format.Plural(_run.Options.Workers, "worker")}, {Format.Plural(_run.Options.ThreadsPerWorker, "thread")} each; "
            + $"folder {_run.Path}.");
        if (_inspection.Address is { } address)
        {
            _terminal.Say($"Status and metrics: http://{address}/status, http://{address}/metrics.");
        }

        if (first > 0)
        {
            _terminal.Say($"{(first == run.Steps ? "Nothing is left to train" : "Going on")} after step {first} of {run.Steps}.");
        }
    }

    private TrainingEnd Train(long first, TrainRequest request, ClusterSystem? network, CancellationToken stop)
    {
        RunConfiguration run = _run.Configuration;
        using IProgressDisplay display = _terminal.Live is null
            ? new PlainProgress(_terminal.Output, run.Steps, first, TimeProvider.System)
            : new LiveProgress(_terminal.Live, run.Steps, first);
        using var metrics = new RunMetrics(_run.Folder.MetricsPath, first);
        _metrics = metrics;
        _observer = new RunObserver(_plan, metrics, display);
        using CancellationTokenRegistration note = stop.Register(
            () => display.Note("Stopping after this step, with a checkpoint. Ctrl-C again leaves at once."));
        Task<TrainingEnd> training = request.Cluster is { } cluster
            ? StartedRun.TrainAsync(network!, cluster, _run, first, _host, _observer, _inspection.Control, stop)
            : LocalTraining.RunAsync(Local(first), _host, _observer, stop);
        TrainingEnd end = training.GetAwaiter().GetResult();
        if (_observer.Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return end;
    }

    private LocalTrainingSettings Local(long first)
    {
        RunConfiguration run = _run.Configuration;
        return new LocalTrainingSettings
        {
            Leaves = run.Leaves,
            Steps = run.Steps,
            Workers = _run.Options.Workers,

            // A shard is one thread's work, and the shards work while the workers wait.
            Shards = _run.Options.Threads,
            FirstStep = first,
            EvaluateEvery = run.EvaluateEvery,
            CheckpointEvery = _run.Options.CheckpointEvery,
            Hocon = _hocon,
            Name = _run.Path,
            StepTokens = _plan.BatchTokens,
            Control = _inspection.Control,
        };
    }

    private void Finish(double? loss, TimeSpan time, double tokensPerSecond) => new FinishedRun
    {
        Path = _run.Path,
        FolderPath = _run.Folder.FolderPath,
        Plan = _plan,
        State = _host.State,
        Tokenizer = _run.Tokenizer,
        Tokens = _run.Tokens,
    }.Show(_terminal, loss, time, tokensPerSecond);
}
