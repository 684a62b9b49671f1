using Cllm.Actors.Channel;
using Cllm.Actors.Inspection;
using Cllm.Model.Compute;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;

namespace Cllm.Tests.Inspection;

public sealed class MeterTests
{
    [Fact]
    public void A_step_is_measured_without_a_byte_of_memory_whether_anybody_listens_or_not()
    {
        var counters = new NodeCounters([new WorkerId(0)]);
        var inspector = new RunInspector("run", 100, 4);
        MeasureStep(counters, inspector);
        Assert.Equal(0, AllocatedByHundredSteps(counters, inspector));
        using var totals = new MeterTotals();
        MeasureStep(counters, inspector);
        Assert.Equal(0, AllocatedByHundredSteps(counters, inspector));
    }

    [Fact]
    public void What_was_measured_is_added_up_by_label()
    {
        using var totals = new MeterTotals();
        RunMeter.Sent(TensorKind.Weights, 1000);
        RunMeter.Sent(TensorKind.Weights, 500);
        RunMeter.Received(TensorKind.Weights, 7);
        RunMeter.Survived(new FaultCounts(0, 0, 1, 0, 0));
        RunMeter.Stepped(64, 0.3);
        var text = new PrometheusText();
        totals.Write(text);
        string[] lines = text.ToString().Split('\n');

        // Other tests measure beside this one, so what they may add to is compared as a minimum.
        Assert.True(Value(lines, "cllm_bytes_total{lane=\"weights\",direction=\"sent\"}") >= 1500);
        Assert.True(Value(lines, "cllm_bytes_total{lane=\"weights\",direction=\"received\"}") >= 7);
        Assert.True(Value(lines, "cllm_faults_total{kind=\"shard\"}") >= 1);
        Assert.True(Value(lines, "cllm_step_duration_seconds_bucket{le=\"0.5\"}") >= 1);
        Assert.True(Value(lines, "cllm_step_duration_seconds_bucket{le=\"+Inf\"}") >= Value(lines, "cllm_step_duration_seconds_bucket{le=\"0.5\"}"));
        Assert.True(Value(lines, "cllm_tokens_total") >= 64);
    }

    [Fact]
    public void What_has_not_happened_yet_is_counted_as_nothing()
    {
        using var totals = new MeterTotals();
        var text = new PrometheusText();
        totals.Write(text);
        string[] lines = text.ToString().Split('\n');
        Assert.All(["worker", "shard", "node", "coordinator", "restore"], kind => Assert.True(Value(lines, $"cllm_faults_total{{kind=\"{kind}\"}}") >= 0));
        Assert.True(Value(lines, "cllm_strangers_total") >= 0);
    }

    [Fact]
    public void Faults_are_counted_as_the_view_has_them_and_stay_counted_when_a_coordinator_fails()
    {
        using var metric = new FaultListener();
        var inspector = new RunInspector("run", 100, 4);
        inspector.CoordinatorBegins();
        inspector.Follow(new(2, 1, 4, 0, 1));
        inspector.Follow(new(2, 1, 4, 0, 1));
        inspector.Follow(new(2, 1, 4, 1, 2));
        Check(new(2, 1, 4, 1, 2), inspector, new(2, 1, 4, 1, 2), metric);

        inspector.CoordinatorBegins();
        inspector.Follow(default);
        Check(new(2, 1, 4, 1, 2), inspector, default, metric);
        inspector.Follow(new(1, 0, 0, 0, 1));
        Check(new(3, 1, 4, 1, 3), inspector, new(1, 0, 0, 0, 1), metric);
    }

    private static void Check(FaultCounts expected, RunInspector inspector, FaultCounts counted, FaultListener metric)
    {
        var seen = new CoordinatorView(
            0, new(1), new(0), 10, new(0), CoordinatorPhase.Computing, null, [], [], [], [], new SurvivedView(counted, []));
        var view = inspector.View(seen).Faults;
        Assert.Equal(expected, new(view.WorkersLost, view.NodesLost, view.ShardsLost, view.Restores, view.Epochs));
        Assert.Equal(
            (expected.WorkersLost, expected.NodesLost, expected.ShardsLost, expected.Restores),
            (metric["worker"], metric["node"], metric["shard"], metric["restore"]));
    }

    [Fact]
    public void Labels_are_escaped()
    {
        var text = new PrometheusText();
        text.Sample("cllm_x", 1.5, ("path", "a\"b\\c\nd"), ("y", "z"));
        Assert.Equal("cllm_x{path=\"a\\\"b\\\\c\\nd\",y=\"z\"} 1.5\n", text.ToString());
    }

    [Fact]
    public void A_node_reports_what_its_workers_and_lanes_did()
    {
        var counters = new NodeCounters([new WorkerId(64), new WorkerId(65)]);
        counters.Computed(1, 2, System.Diagnostics.Stopwatch.GetTimestamp() - System.Diagnostics.Stopwatch.Frequency);
        var channel = new ChannelCounters();
        channel.Sent(TensorKind.Gradient, 10);
        channel.Sent(TensorKind.Blob, 1);
        channel.Received(TensorKind.State, 20);
        var report = counters.Report(new(1), "there", channel);
        Assert.Equal([64, 65], report.Workers.Select(worker => worker.Worker.Number));
        Assert.Equal(0, report.Workers[0].ComputeTicks);
        Assert.InRange(report.Workers[1].ComputeTicks, TimeSpan.TicksPerSecond, 100 * TimeSpan.TicksPerSecond);
        Assert.Equal((11, 20), (report.BytesSent, report.BytesReceived));
    }

    private static readonly ChannelCounters Traffic = new();

    private static long AllocatedByHundredSteps(NodeCounters counters, RunInspector inspector)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            MeasureStep(counters, inspector);
        }

        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static void MeasureStep(NodeCounters counters, RunInspector inspector)
    {
        counters.Computed(0, 4, 0);
        counters.Reduced(0);
        Traffic.Sent(TensorKind.Gradient, 100);
        Traffic.Received(TensorKind.Weights, 100);
        inspector.Follow(default);
        inspector.Stepped(new StepScalars(2.5, 1, 0.001, 1), 1000);
    }

    private static double Value(string[] lines, string name) => double.Parse(lines.Single(line => line.StartsWith(name + " ", StringComparison.Ordinal))[(name.Length + 1)..]);
}
