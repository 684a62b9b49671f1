using Cllm.Cli.Train;
using Cllm.Model.Run;
using Cllm.Tests.Files;

namespace Cllm.Tests.Cli;

public sealed class RunMetricsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_digest_that_comes_late_still_stands_in_its_steps_line()
    {
        using (var metrics = new RunMetrics(Path, 0))
        {
            Steps(metrics, 0, 3);
            metrics.SnapshotTaken(3);
            Steps(metrics, 3, 5);
            Assert.Equal([0, 1], Written());
            metrics.CheckpointFollows(3, "abc");
            Assert.Equal([0, 1, 2], Written());
        }

        Assert.Equal([null, null, "abc", null, null], MetricsReader.Read(Path).Select(line => line.Digest));
    }

    [Fact]
    public void A_checkpoints_line_is_written_when_the_checkpoint_is()
    {
        using var metrics = new RunMetrics(Path, 0);
        Steps(metrics, 0, 3);
        metrics.SnapshotTaken(3);
        metrics.CheckpointFollows(3, "abc");
        Assert.Equal([0, 1, 2], Written());
    }

    [Fact]
    public void A_line_waits_for_its_evaluation_while_an_older_checkpoint_is_written()
    {
        using (var metrics = new RunMetrics(Path, 0))
        {
            Steps(metrics, 0, 3);
            metrics.SnapshotTaken(3);
            Steps(metrics, 3, 4);
            metrics.CheckpointFollows(3, "abc");
            metrics.EvaluationDone(2.5);
        }

        Assert.Equal([null, null, null, 2.5], MetricsReader.Read(Path).Select(line => line.ValidationLoss));
    }

    [Fact]
    public void A_checkpoint_of_a_repeated_step_changes_no_line()
    {
        using (var metrics = new RunMetrics(Path, 0))
        {
            Steps(metrics, 0, 5);
            metrics.SnapshotTaken(3);
            Steps(metrics, 5, 6);
            Assert.Equal([0, 1, 2, 3, 4], Written());
            metrics.CheckpointFollows(3, "abc");
        }

        Assert.All(MetricsReader.Read(Path), line => Assert.Null(line.Digest));
        Assert.Equal([0, 1, 2, 3, 4, 5], Written());
    }

    private string Path => _folder.At("metrics.jsonl");

    private static void Steps(RunMetrics metrics, long from, long to)
    {
        for (long step = from; step < to; step++)
        {
            metrics.StepDone(new StepMetrics(step, 1, 1, 1, 1, 1, null, null));
        }
    }

    private IEnumerable<long> Written() => MetricsReader.Read(Path).Select(line => line.Step);
}
