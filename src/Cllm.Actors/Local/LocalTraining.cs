using Akka.Actor;
using Akka.Event;
using Cllm.Actors.Inspection;
using Cllm.Model;
using Cllm.Model.Compute;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Messages;

namespace Cllm.Actors.Local;

/// <summary>
/// Trains in one process: an actor system with a coordinator, workers and shards, from the first step to the end of the run.
/// </summary>
public static class LocalTraining
{
    /// <summary>
    /// Runs until the steps are done, the stop is asked for, or the run fails. All actors are gone and no checkpoint is being written when
    /// it returns.
    /// </summary>
    /// <param name="settings">Steps, workers, cadences.</param>
    /// <param name="host">Weights, data and checkpoints, at <see cref="LocalTrainingSettings.FirstStep"/>.</param>
    /// <param name="observer">Who watches.</param>
    /// <param name="stop">Asks to finish the step, write a checkpoint and leave.</param>
    /// <exception cref="InputException">The actor configuration cannot be used.</exception>
    public static async Task<TrainingEnd> RunAsync(
        LocalTrainingSettings settings, IRunHost host, ITrainingObserver observer, CancellationToken stop)
    {
        var hocon = settings.Hocon ?? Hocon.Load();
        var run = new LocalRun(host, observer, CoordinatorSettingsOf(settings, host, hocon), settings.Workers,
            new(settings.Name, settings.StepTokens, settings.Leaves));
        var end = new TaskCompletionSource<TrainingEnd>(TaskCreationOptions.RunContinuationsAsynchronously);

        var system = ActorSystem.Create("cllm", hocon);
        var root = system.ActorOf(Props.Create(() => new RunActor(run, end)), "run");
        if (settings.Control is { } control)
        {
            control.Attach(root);
            if (OperatorPlugIn.Start(system, control) is { } sentence)
            {
                system.Log.Warning("{0}", sentence);
            }
        }

        TrainingEnd result;
        using (stop.Register(() => root.Tell(new StopRequested())))
        {
            result = await end.Task.ConfigureAwait(false);
        }

        settings.Control?.Detach();
        await system.Terminate().ConfigureAwait(false);
        await run.Coordinator.Writing.ConfigureAwait(false);
        if (result.Outcome == RunOutcome.Failed)
        {
            observer.Failed(result.Sentence);
        }

        return result;
    }

    private static CoordinatorSettings CoordinatorSettingsOf(
        LocalTrainingSettings settings, IRunHost host, Akka.Configuration.Config hocon) => new CoordinatorSettings
    {
        Leaves = settings.Leaves,
        Steps = settings.Steps,
        Shards = host.Shards(settings.Shards),
        WorkersToStart = settings.Workers,
        FirstStep = new(settings.FirstStep),
        EvaluationUnits = host.EvaluationUnits,
        EvaluateEvery = settings.EvaluateEvery,
        CheckpointEvery = settings.CheckpointEvery,
    }.Limit(hocon);
}
