using Cllm.Actors.Inspection;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Messages;

namespace Cllm.Tests.Inspection;

public sealed class OperatorCommandsTests
{
    private static readonly RunView Stuck = new(
        "runs/book", "updating", 3, 1000, 41, 40, 25, 2.5, 0.2, 5120, 1_500_000, 3700, new("shard 1", "to update", 75),
        new(4, 2, 1, 1, 5, 17), 0,
        [new(0, "10.0.0.1:4053", "there", 1, 1, 60, 2, 3, 10, 20), new(7, "", "lost", 0, 1, null, null, null, 0, 0)],
        [new(0, 0, "idle", 160, 2560, 60, 3, 0, 0), new(448, 7, "lost", 4, null, null, null, 0, 4)],
        [new(0, 0, true, 42, 7, 41, 0), new(1, null, false, null, null, null, 1)],
        [new("3.7", 0, "leaves 4-7", 1.5, false), new("3.8", 0, "leaves 0-3", 9, true)],
        ["node 7 is lost"]);

    [Fact]
    public void The_status_says_what_a_stuck_run_waits_for_and_since_when()
    {
        var rows = Tables.Status(Stuck);
        Assert.Contains(("stuck", "1 min 15 s for shard 1 to update"), rows);
        Assert.Contains(("step", "41 of 1,000 done; last committed step 40, epoch 3"), rows);
        Assert.Contains(("survived", "4 workers, 2 nodes and 1 shard lost; 1 restore, 5 new epochs, 17 messages dropped"), rows);
        Assert.Contains(("workers", "1 of 2, on 1 of 2 nodes"), rows);
        Assert.Contains(("coordinator", "node 0"), rows);
        Assert.Contains(("traffic", "1.5 MB a step, all nodes together"), rows);
        Assert.Contains(("notes", "node 7 is lost"), rows);
    }

    [Fact]
    public void Who_has_left_in_order_is_not_missed()
    {
        var run = Stuck with
        {
            Nodes = [.. Stuck.Nodes, new(8, "", "drained", 0, 0, null, null, null, 0, 0)],
            Workers = [.. Stuck.Workers, new(512, 8, "gone", 4, null, null, null, 0, 0)],
        };
        Assert.Contains(("workers", "1 of 2, on 1 of 2 nodes"), Tables.Status(run));
    }

    [Fact]
    public void A_run_that_gets_on_is_not_called_stuck() =>
        Assert.Contains(("waits", "75 ms for shard 1 to update"), Tables.Status(Stuck with { Wait = new("shard 1", "to update", 0.075) }));

    [Fact]
    public void Columns_line_up_and_what_is_unknown_is_a_dash()
    {
        string[] lines = [.. Tables.Workers(Stuck).Lines()];
        Assert.Equal("worker  node  state  leaves  tokens/s     compute   wait  leases  lost", lines[0]);
        Assert.Equal("0       0     idle      160     2,560  1 min 00 s  3.0 s       0     0", lines[1]);
        Assert.Equal("448     7     lost        4         -           -      -       0     4", lines[2]);
        Assert.Single(Tables.Workers(Stuck, node: 7).Rows);
        Assert.Equal("-", Tables.Workers(Stuck, node: 7).Rows[0][4]);
    }

    [Fact]
    public void Whoever_asks_for_a_node_that_is_unknown_is_told_which_are_known()
    {
        Assert.Null(Stuck.ObjectionTo(null));
        Assert.Null(Stuck.ObjectionTo(7));
        Assert.Equal("There is no node 8; there are 0, 7.", Stuck.ObjectionTo(8));
        Assert.Equal("There is no node 8; none has joined yet.", (Stuck with { Nodes = [] }).ObjectionTo(8));
    }

    [Fact]
    public async Task Workers_of_a_node_that_is_not_there_are_not_shown_as_none()
    {
        await using var run = await LiveRun.StartAsync();
        var (isDone, lines) = await new OperatorCommands(run.Control).RunAsync("workers", 99);
        Assert.Equal((false, "There is no node 99; there is 0."), (isDone, Assert.Single(lines)));
    }

    [Fact]
    public void The_oldest_lease_comes_first() => Assert.Equal("3.8", Tables.Leases(Stuck).Rows[0][0]);

    [Fact]
    public void A_view_is_the_same_after_its_json()
    {
        var read = RunViewJson.Read(RunViewJson.Write(Stuck));
        Assert.True(Wire.Instances.Same(Stuck, read));
        Assert.Contains("\"last_committed_step\":40", RunViewJson.Write(Stuck), StringComparison.Ordinal);
        Assert.Null(RunViewJson.Read("<html>"));
    }

    [Theory]
    [InlineData(RunAction.Pause, typeof(PauseRequested))]
    [InlineData(RunAction.Resume, typeof(ResumeRequested))]
    [InlineData(RunAction.Checkpoint, typeof(CheckpointRequested))]
    public void An_order_becomes_the_machine_s_input(RunAction action, Type input)
    {
        var (given, answer) = OperatorOrders.Of(new(action, null), View(CoordinatorPhase.Computing));
        Assert.IsType(input, given);
        Assert.True(answer.IsTaken);
        Assert.False(OperatorOrders.Of(new(action, null), View(CoordinatorPhase.Ended)).Answer.IsTaken);
    }

    [Fact]
    public void Only_a_node_that_is_there_is_drained()
    {
        var seen = View(CoordinatorPhase.Computing) with { Nodes = [new(new(5), true, false, false), new(new(6), false, false, false)] };
        Assert.Equal(new DrainRequested(new(5)), OperatorOrders.Of(new(RunAction.Drain, 5), seen).Input);
        var refused = OperatorOrders.Of(new(RunAction.Drain, 6), seen).Answer;
        Assert.Equal((false, "There is no node 6; there are 5."), (refused.IsTaken, refused.Sentence));
    }

    [Theory]
    [InlineData(5, false, false)]
    [InlineData(5, true, true)]
    [InlineData(6, false, true)]
    [InlineData(6, true, true)]
    public void The_node_that_coordinates_is_drained_only_where_another_can_take_the_run_over(int node, bool isSuccessorThere, bool isTaken)
    {
        var seen = View(CoordinatorPhase.Computing) with { Nodes = [new(new(5), true, false, false), new(new(6), true, false, false)] };
        var (input, answer) = OperatorOrders.Of(new(RunAction.Drain, node), seen, new(5), isSuccessorThere);
        Assert.Equal((isTaken, isTaken ? new DrainRequested(new(node)) : null), (answer.IsTaken, input));
        Assert.Equal(!isTaken, answer.Sentence.StartsWith("Node 5 coordinates the run and no other process can take it over", StringComparison.Ordinal));
    }

    [Fact]
    public void Whoever_drains_a_node_before_there_is_one_is_told_why_there_is_none()
    {
        var seen = View(CoordinatorPhase.Assembling);
        Assert.StartsWith("This run is in one process", OperatorOrders.Of(new(RunAction.Drain, 5), seen).Answer.Sentence, StringComparison.Ordinal);
        foreach (var isSuccessorThere in new[] { false, true })
        {
            var (input, answer) = OperatorOrders.Of(new(RunAction.Drain, 5), seen, new(5), isSuccessorThere);
            Assert.Null(input);
            Assert.False(answer.IsTaken);
            Assert.StartsWith("The run has not begun yet", answer.Sentence, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Every_command_answers_even_when_there_is_no_run()
    {
        var commands = new OperatorCommands(new());
        foreach (var (name, _, takesNode) in OperatorCommands.All)
        {
            var (isDone, lines) = await commands.RunAsync(name, takesNode ? 1 : null);
            Assert.False(isDone);
            Assert.Contains("does not answer", Assert.Single(lines), StringComparison.Ordinal);
        }

        Assert.Contains("is no command", (await commands.RunAsync("stop")).Lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_commands_show_a_run_as_text()
    {
        await using var run = await LiveRun.StartAsync();
        var commands = new OperatorCommands(run.Control);
        foreach (var (name, word) in new[] { ("status", "computing gradients"), ("workers", "tokens/s"), ("leases", "leaves") })
        {
            var (isDone, lines) = await commands.RunAsync(name);
            Assert.True(isDone);
            Assert.Contains(lines, line => line.Contains(word, StringComparison.Ordinal));
        }
    }

    private static CoordinatorView View(CoordinatorPhase phase) => new(
        0, new(1), new(4), 9, new(0), phase, null, [], [], [], [], new(default, []));
}
