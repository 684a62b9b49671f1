using Cllm.Actors.Inspection;
using Cllm.Cli.Display;

namespace Cllm.Cli.Node;

/// <summary>Says at a node, every few seconds, how the run stands and what this node does for it.</summary>
public static class NodeProgress
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(10);

    /// <summary>One line: the run's step and speed, and this node's leaves; or for what the run waits.</summary>
    /// <param name="run">The run.</param>
    /// <param name="node">This node's number.</param>
    public static string Line(RunView run, int node)
    {
        RunWorker[] here = [.. run.Workers.Where(worker => worker.Node == node)];
        string loss = run.Loss is { } value ? $", loss {Format.Loss(value)}" : "";
        string speed = run.TokensPerSecond is { } all ? $", {Format.Count(all)} tokens/s" : "";
        string work = here.Length == 0
            ? "nothing leased here"
            : $"here {Format.Plural(here.Sum(worker => worker.Leaves), "leaf").Replace("leafs", "leaves")}, "
            + $"{Format.Count(here.Sum(worker => worker.TokensPerSecond ?? 0))} tokens/s";
        string wait = run.Wait is { Seconds: > 5 } pause ? $"; waiting for {pause.Who} since {pause.Seconds:F0} s" : "";
        return $"step {run.CommittedSteps} of {run.Steps}{loss}{speed}; {work}{wait}";
    }

    /// <summary>Says so until it is told that it is over.</summary>
    /// <param name="control">Asks the run.</param>
    /// <param name="node">Gives this node's number, which may be drawn again.</param>
    /// <param name="isHeard">Whether every step is heard of here anyway.</param>
    /// <param name="display">Who shows it.</param>
    /// <param name="over">Cancelled when this process takes part no longer.</param>
    public static async Task TellAsync(RunControl control, Func<int> node, Func<bool> isHeard, IProgressDisplay display, CancellationToken over)
    {
        using var timer = new PeriodicTimer(BetweenLines);
        string last = "";
        try
        {
            while (await timer.WaitForNextTickAsync(over).ConfigureAwait(false))
            {
                if (!isHeard() && await control.ViewAsync().WaitAsync(over).ConfigureAwait(false) is { } run && Line(run, node()) is var line && line != last)
                {
                    display.Note(line);
                    last = line;
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Over.
        }
    }
}
