using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Cllm.Actors;
using Cllm.Actors.Local;
using Cllm.Cli.Commands;
using Cllm.Cli.Display;
using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Model.Files;
using Cllm.Model.Generation;
using Cllm.Model.HuggingFace;
using Cllm.Model.Run;
using Cllm.Protocol.Coordination;

namespace Cllm.Cli.Train;

/// <summary>`cllm train` from the request to the sample: prepare, train, export, summarize.</summary>
public sealed class TrainSession : IDisposable
{
    private const int SampleTokens = 150;

    /// <summary>A character or a byte is about a quarter of a bpe token's text.</summary>
    private const int SampleCharacters = 600;

    private readonly PreparedRun _run;
    private readonly RunPlan _plan;
    private readonly RunHost _host;
    private readonly Terminal _terminal;
    private RunObserver? _observer;
    private RunMetrics? _metrics;

    private TrainSession(PreparedRun run, Terminal terminal)
    {
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
        Hocon.Load(request.HoconPath);
        using PreparedRun run = request.Resume ? PreparedRun.Resume(request) : PreparedRun.Start(request, terminal);
        using var session = new TrainSession(run, terminal);
        return session.Run(request.HoconPath, stop);
    }

    /// <inheritdoc/>
    public void Dispose() => _host.Dispose();

    private int Run(string? hoconPath, CancellationToken outside)
    {
        long first = _host.Restore();
        Introduce(first);
        if (first == _run.Configuration.Steps)
        {
            Finish(null, TimeSpan.Zero, 0);
            return ExitCode.Success;
        }

        using var signals = new StopSignals(_terminal.OwnsProcess, outside);
        long started = Stopwatch.GetTimestamp();
        TrainingEnd end = Train(first, hoconPath, signals.Token);
        TimeSpan time = Stopwatch.GetElapsedTime(started);
        if (end.Outcome == RunOutcome.Finished)
        {
            Finish(_observer!.Loss, time, (end.CommittedSteps - first) * _plan.BatchTokens / time.TotalSeconds);
            return ExitCode.Success;
        }

        string resume = $"`{RunSummary.ResumeLine(_run.Path)}`";
        if (end.Outcome == RunOutcome.Failed)
        {
            _terminal.Fail($"Training ended after step {end.CommittedSteps}: {end.Sentence.TrimEnd('.')}.");
            return ExitCode.Failure;
        }

        _terminal.Fail(end.CommittedSteps == 0
            ? $"Stopped before the first step was done; begin again with {resume}."
            : $"Stopped after step {end.CommittedSteps} of {_run.Configuration.Steps}, with a checkpoint; go on with {resume}.");
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
        if (first > 0)
        {
            _terminal.Say($"{(first == run.Steps ? "Nothing is left to train" : "Going on")} after step {first} of {run.Steps}.");
        }
    }

    private TrainingEnd Train(long first, string? hoconPath, CancellationToken stop)
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
        var settings = new LocalTrainingSettings
        {
            Leaves = run.Leaves,
            Steps = run.Steps,
            Workers = _run.Options.Workers,
            Shards = _run.Options.Workers,
            FirstStep = first,
            EvaluateEvery = run.EvaluateEvery,
            CheckpointEvery = _run.Options.CheckpointEvery,
            HoconPath = hoconPath,
        };
        TrainingEnd end = LocalTraining.RunAsync(settings, _host, _observer, stop).GetAwaiter().GetResult();
        if (_observer.Failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        return end;
    }

    private void Finish(double? loss, TimeSpan time, double tokensPerSecond)
    {
        RunConfiguration run = _run.Configuration;
        ReadOnlySpan<float> weights = _host.State.Weights.Span;
        HuggingFaceFolder.Write(_run.Folder.FolderPath, _plan.Layout, weights, _run.Tokenizer?.Serialize());
        var summary = new RunSummary
        {
            Path = _run.Path,
            Steps = run.Steps,
            Loss = loss,
            HeldOut = _run.Split.HeldOutCount == 0 ? null : HeldOutLoss.Measure(
                run.Shape, weights, _run.Tokenizer, _run.Tokens, _run.Split.HeldOutFirst, _run.Split.HeldOutCount),
            Time = time,
            TokensPerSecond = tokensPerSecond,
            Parameters = _plan.Layout.Parameters,
            Digest = WeightsDigest(),
        };
        _terminal.Heading("Result");
        _terminal.Table(summary.Rows());
        if (_run.Tokenizer is { } tokenizer)
        {
            _terminal.Heading("Sample");
            var sampler = new Sampler(run.Shape.Vocabulary, Sample.Temperature, 0, Sample.Seed);
            Sample.Write(_plan.Layout, _host.State.Weights, tokenizer, "", tokenizer.Kind == "bpe" ? SampleTokens : SampleCharacters, sampler, _terminal.Output);
            _terminal.Say("");
            _terminal.Say($"More of it: {summary.GenerateLine}");
        }
    }

    private string WeightsDigest() => Digest.Weights(_plan.Layout, _host.State.Weights.Span);
}
