using Cllm.Actors.Inspection;
using Cllm.Cli;

namespace Cllm.Tests.Inspection;

public sealed class InspectCommandTests
{
    [Fact]
    public async Task Status_and_workers_show_a_run_to_people_and_to_programs()
    {
        await using var run = await LiveRun.StartAsync();
        var at = run.Server.Address;
        var (code, text, error) = Cllm("status", "--at", at);
        Assert.Equal((ExitCode.Success, ""), (code, error));
        Assert.Contains("runs/live", text, StringComparison.Ordinal);
        Assert.Contains("to compute gradients", text, StringComparison.Ordinal);
        Assert.Contains("Nodes:", text, StringComparison.Ordinal);

        Assert.Equal(3, RunViewJson.Read(Cllm("status", "--at", at, "--json").Output)!.CommittedSteps);
        Assert.Contains("tokens/s", Cllm("workers", "--at", at).Output, StringComparison.Ordinal);
        var workers = System.Text.Json.Nodes.JsonNode.Parse(Cllm("workers", "--at", at, "--json", "--node", "0").Output)!.AsArray();
        Assert.Equal(2, workers.Count);
        Assert.Equal("computing", (string?)workers[0]!["state"]);
    }

    [Fact]
    public async Task A_node_that_is_not_there_is_refused_with_those_that_are()
    {
        await using var run = await LiveRun.StartAsync();
        foreach (string[] more in new string[][] { [], ["--json"], ["--watch"] })
        {
            var said = Cllm(["workers", "--at", run.Server.Address, "--node", "99", .. more]);
            Assert.Equal((ExitCode.Usage, "", "cllm: There is no node 99; there is 0.\n"), said);
        }
    }

    [Fact]
    public async Task Watching_ends_when_it_is_told_to()
    {
        await using var run = await LiveRun.StartAsync();
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        var output = new StringWriter();
        var code = await Task.Run(() => CommandLine.Run(["status", "--at", run.Server.Address, "--watch"], output, TextWriter.Null, stop.Token));
        Assert.Equal((ExitCode.Interrupted, ""), (code, output.ToString()));
    }

    [Fact]
    public async Task Watching_ends_well_with_the_run()
    {
        await using var run = await LiveRun.StartAsync();
        var output = new SignallingWriter();
        var error = new StringWriter();
        var watching = Task.Run(() => CommandLine.Run(["status", "--at", run.Server.Address, "--watch"], output, error));
        string address = run.Server.Address;
        await output.IsFlushed.Task.WaitAsync(TimeSpan.FromSeconds(40));
        await run.Server.DisposeAsync();

        Assert.Equal(ExitCode.Success, await watching.WaitAsync(TimeSpan.FromSeconds(40)));
        Assert.Equal("", error.ToString());
        Assert.EndsWith($"Nobody answers at {address} any more: the run is over, or this process of it.\n", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Nobody_there_is_one_sentence()
    {
        var (code, text, error) = Cllm("status", "--at", "127.0.0.1:1");
        Assert.Equal((ExitCode.Failure, ""), (code, text));
        Assert.Equal("cllm: Nobody answers at 127.0.0.1:1; start the run with --metrics-listen 127.0.0.1:1, or say with --at HOST:PORT where it is.\n", error);
    }

    [Fact]
    public void An_address_without_a_port_is_refused() => Assert.Equal(ExitCode.Usage, Cllm("workers", "--at", "somewhere").Code);

    [Fact]
    public void An_address_that_nobody_can_have_is_refused()
    {
        var (code, _, error) = Cllm("status", "--at", "127.0.0.1:0");
        Assert.Equal((ExitCode.Usage, "cllm: --at is '127.0.0.1:0', and nobody can be called at port 0; give the port that is listened at there.\n"), (code, error));
    }

    /// <summary>Says when a first look was written.</summary>
    private sealed class SignallingWriter : StringWriter
    {
        public TaskCompletionSource IsFlushed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void Flush() => IsFlushed.TrySetResult();
    }

    private static (int Code, string Output, string Error) Cllm(params string[] args)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        return (CommandLine.Run(args, output, error), output.ToString(), error.ToString());
    }
}
