using System.Net;
using System.Net.Sockets;
using System.Text;
using Cllm.Actors.Inspection;
using Cllm.Model;
using Cllm.Protocol.Coordination;

namespace Cllm.Tests.Inspection;

public sealed class InspectionServerTests
{
    [Fact]
    public async Task A_run_that_does_not_get_on_says_whom_it_waits_for()
    {
        await using var run = await LiveRun.StartAsync();
        var view = RunViewJson.Read(await run.Client.GetStringAsync("/status"));
        Assert.NotNull(view);
        Assert.Equal(("runs/live", 3, 8, 1), (view.Name, view.CommittedSteps, view.Steps, view.Epoch));
        Assert.Equal(2, view.LastCommittedStep);
        Assert.Equal("computing gradients", view.Phase);
        Assert.Contains("worker", view.Wait!.Who, StringComparison.Ordinal);
        Assert.Equal("to compute gradients", view.Wait.What);
        Assert.Equal(2, view.Workers.Length);
        Assert.All(view.Workers, worker => Assert.Equal("computing", worker.State));
        Assert.Equal(18, view.Workers.Sum(worker => worker.Leaves));
        Assert.True(view.TokensPerSecond > 0);
        Assert.NotEmpty(view.Leases);
        Assert.Equal(view.Nodes[0].ComputeSeconds!.Value, view.Workers.Sum(worker => worker.ComputeSeconds!.Value), tolerance: 1e-9);
    }

    [Fact]
    public async Task Prometheus_finds_counters_and_gauges_in_its_own_format()
    {
        await using var run = await LiveRun.StartAsync();
        var response = await run.Client.GetAsync("/metrics");
        Assert.Equal(PrometheusText.ContentType, response.Content.Headers.ContentType!.ToString());
        string[] lines = (await response.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("cllm_committed_steps 3", lines);
        Assert.Contains("cllm_workers{state=\"computing\"} 2", lines);
        Assert.Contains("# TYPE cllm_steps_total counter", lines);
        Assert.Contains("# TYPE cllm_step_duration_seconds histogram", lines);
        Assert.All(lines, line => Assert.Matches(@"^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z_]+=""[^""]*""(,[a-z_]+=""[^""]*"")*\})? [-+0-9.eEInf]+)$", line));
        Assert.Equal(lines.Count(line => line.StartsWith("# TYPE", StringComparison.Ordinal)), lines.Where(line => line.StartsWith("# TYPE", StringComparison.Ordinal)).Distinct().Count());
    }

    [Fact]
    public async Task An_operator_pauses_takes_a_checkpoint_and_lets_the_run_go_on()
    {
        await using var run = await LiveRun.StartAsync();
        Assert.Contains("pauses after", await Post(run, "/pause", HttpStatusCode.OK), StringComparison.Ordinal);
        Assert.Contains("written as soon as step 3", await Post(run, "/checkpoint", HttpStatusCode.OK), StringComparison.Ordinal);
        run.Go();
        RunView? view;
        do
        {
            view = RunViewJson.Read(await run.Client.GetStringAsync("/status"));
        }
        while (view!.Phase != "paused");

        Assert.Equal((4, 4), (view.CommittedSteps, view.CheckpointedSteps));
        Assert.Contains("paused before step 4", view.Notes);
        Assert.Contains("ok: paused", await run.Client.GetStringAsync("/healthz"), StringComparison.Ordinal);
        Assert.Contains("goes on with step 4", await Post(run, "/resume", HttpStatusCode.OK), StringComparison.Ordinal);
        Assert.Equal(RunOutcome.Finished, (await run.EndAsync()).Outcome);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await run.Client.GetAsync("/healthz")).StatusCode);
    }

    [Fact]
    public async Task What_is_no_order_is_refused_with_its_reason()
    {
        await using var run = await LiveRun.StartAsync();
        Assert.Contains("one process", await Post(run, "/drain?node=0", HttpStatusCode.Conflict), StringComparison.Ordinal);
        Assert.Contains("Name the node", await Post(run, "/drain", HttpStatusCode.Conflict), StringComparison.Ordinal);
        Assert.Contains("no number", await Post(run, "/drain?node=all", HttpStatusCode.BadRequest), StringComparison.Ordinal);
        Assert.Contains("/metrics", await Post(run, "/stop", HttpStatusCode.NotFound), StringComparison.Ordinal);
        await Post(run, "/status", HttpStatusCode.MethodNotAllowed);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await run.Client.GetAsync("/pause")).StatusCode);
    }

    [Fact]
    public async Task A_page_in_a_browser_on_this_machine_gives_no_orders()
    {
        await using var run = await LiveRun.StartAsync();
        using var order = new HttpRequestMessage(HttpMethod.Post, "/pause") { Headers = { { "Origin", "http://elsewhere.example" } } };
        Assert.Equal(HttpStatusCode.Forbidden, (await run.Client.SendAsync(order)).StatusCode);
    }

    [Fact]
    public async Task Garbage_and_silent_callers_do_not_keep_others_from_an_answer()
    {
        await using var run = await LiveRun.StartAsync();
        var port = int.Parse(run.Server.Address.Split(':')[1]);
        var callers = new List<TcpClient>();
        for (var i = 0; i < 20; i++)
        {
            callers.Add(new TcpClient("127.0.0.1", port));
            callers[i].GetStream().Write(i % 2 == 0 ? Encoding.ASCII.GetBytes("GET /status HT") : [0, 255, 10, 13, 10, 7]);
        }

        Assert.NotNull(RunViewJson.Read(await run.Client.GetStringAsync("/status")));
        callers.ForEach(caller => caller.Dispose());
    }

    [Fact]
    public async Task Before_and_after_the_run_it_says_that_nobody_answers()
    {
        await using var server = await InspectionServer.StartAsync(new(IPAddress.Loopback, 0), new());
        using var client = new HttpClient { BaseAddress = new($"http://{server.Address}") };
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/status")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/metrics")).StatusCode);
    }

    [Fact]
    public async Task A_taken_address_is_named_in_one_sentence()
    {
        await using var server = await InspectionServer.StartAsync(new(IPAddress.Loopback, 0), new());
        var taken = IPEndPoint.Parse(server.Address);
        var refused = await Assert.ThrowsAsync<InputException>(() => InspectionServer.StartAsync(taken, new()));
        Assert.Contains(server.Address, refused.Message, StringComparison.Ordinal);
        Assert.Contains("another program", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1:9115", "127.0.0.1:9115")]
    [InlineData("localhost:0", "127.0.0.1:0")]
    [InlineData("[::1]:80", "[::1]:80")]
    [InlineData("0.0.0.0:9115", "0.0.0.0:9115")]
    public void An_address_is_an_ip_address_and_a_port(string text, string endpoint) =>
        Assert.Equal(endpoint, InspectionServer.Parse(text).ToString());

    [Theory]
    [InlineData("9115")]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("[::1]")]
    [InlineData("example.org:80")]
    [InlineData("127.0.0.1:99999")]
    [InlineData("")]
    [InlineData("1:2:3:4")]
    public void Anything_else_is_refused(string text) => Assert.Throws<InputException>(() => InspectionServer.Parse(text));

    private static async Task<string> Post(LiveRun run, string path, HttpStatusCode expected)
    {
        using var response = await run.Client.PostAsync(path, null);
        Assert.Equal(expected, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }
}
