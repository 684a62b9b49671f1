using Cllm.Actors.Inspection;
using Cllm.Cli.Node;

namespace Cllm.Tests.Joining;

public sealed class NodeProgressTests
{
    private static readonly RunView Run = new(
        "stories", "training", 65537, 200, 70, 69, 50, 0.5151, 0.1, 6555.4, 0, 12, null, new(0, 0, 0, 0, 1, 0), 10, [],
        [new(640, 10, "there", 30, 2000, 1, 1, 1, 0), new(641, 10, "there", 31, 1000.6, 1, 1, 1, 0), new(704, 11, "there", 99, 3555, 1, 1, 1, 0)], [], [], []);

    [Fact]
    public void A_line_tells_of_the_run_and_of_this_nodes_own_work() => Assert.Equal(
        "step 70 of 200, loss 0.5151, 6,555 tokens/s; here 61 leaves, 3,001 tokens/s", NodeProgress.Line(Run, 10));

    [Fact]
    public void A_node_without_work_says_so() => Assert.Equal(
        "step 70 of 200, loss 0.5151, 6,555 tokens/s; nothing leased here", NodeProgress.Line(Run, 12));

    [Fact]
    public void A_run_that_waits_says_for_whom_and_how_long() => Assert.Equal(
        "step 0 of 200; nothing leased here; waiting for 2 more nodes since 31 s",
        NodeProgress.Line(Run with { CommittedSteps = 0, Loss = null, TokensPerSecond = null, Workers = [], Wait = new("2 more nodes", "to join", 31) }, 10));
}
