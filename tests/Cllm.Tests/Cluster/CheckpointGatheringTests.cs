using Akka.TestKit.Xunit2;
using Cllm.Actors.Cluster;
using Cllm.Model.Compute;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Identity;

namespace Cllm.Tests.Cluster;

public sealed class CheckpointGatheringTests : TestKit
{
    private const string Failure = "the owner is lost";

    private static readonly TakeCheckpoint Take = new(new(3), new(7));

    private readonly RunHost _host = BareRun.Host();
    private readonly CheckpointGathering _gathering;
    private readonly NodeRun _run;
    private bool _isGoingBack;

    /// <summary>What happens while the state is copied; nothing most of the time.</summary>
    private Action _amidCopying = () => { };
    private int _copies;

    public CheckpointGatheringTests()
    {
        _run = new NodeRun(BareRun.Settings(_host, shards: 1), _host) { Scheduler = Sys.Scheduler, NodeActor = TestActor };
        _run.Slices.Stand(0, SliceParts.All, Take.Step.Number);
        _gathering = new(_run, () => _isGoingBack, Copy, TestActor);
        _gathering.Begin(Take);
        ExpectMsg(new StateWanted(Take.Epoch, Take.Step));
    }

    [Fact]
    public void A_state_that_could_not_be_had_is_asked_for_once_more()
    {
        Assert.Null(_gathering.Take(new StateGathered(Take.Step, Failure)));
        Assert.Null(_gathering.Take(ExpectMsg<StateDue>()));
        ExpectMsg(new StateWanted(Take.Epoch, Take.Step));
        Assert.Equal((Take, null), _gathering.Take(new StateGathered(Take.Step, null)));
        Assert.Null(_gathering.Take(new StateGathered(Take.Step, null)));
    }

    [Fact]
    public void A_state_that_could_not_be_had_is_not_asked_for_again_when_the_run_is_to_go_back()
    {
        _isGoingBack = true;
        Assert.Equal((Take, Failure), _gathering.Take(new StateGathered(Take.Step, Failure)));
    }

    [Fact]
    public void A_run_that_is_to_go_back_does_not_wait_for_a_state_that_is_about_to_be_asked_for_again()
    {
        Assert.Null(_gathering.Take(new StateGathered(Take.Step, Failure)));
        _isGoingBack = true;
        Assert.Equal((Take, Failure), _gathering.Take(ExpectMsg<StateDue>()));
    }

    [Fact]
    public void A_state_of_which_a_slice_has_been_overwritten_since_is_not_copied()
    {
        _run.Slices.Stand(0, SliceParts.Weights, Take.Step.Number - 2);
        Assert.Null(_gathering.Take(new StateGathered(Take.Step, null)));
        Assert.Equal(0, _copies);
    }

    [Theory]
    [InlineData(SliceParts.Weights)]
    [InlineData(SliceParts.Moments)]
    public void A_state_that_is_written_to_while_it_is_copied_is_asked_for_and_copied_again(object parts)
    {
        _amidCopying = () =>
        {
            _run.Slices.Change(0, (SliceParts)parts);
            _run.Slices.Stand(0, (SliceParts)parts, Take.Step.Number);
        };
        Assert.Null(_gathering.Take(new StateGathered(Take.Step, null)));
        _amidCopying = () => { };
        Assert.Null(_gathering.Take(ExpectMsg<StateDue>()));
        ExpectMsg(new StateWanted(Take.Epoch, Take.Step));
        Assert.Equal((Take, null), _gathering.Take(new StateGathered(Take.Step, null)));
        Assert.Equal(2, _copies);
    }

    [Fact]
    public void A_state_that_is_overwritten_while_it_is_copied_is_no_checkpoint_of_a_run_that_is_to_go_back()
    {
        _amidCopying = () => _run.Slices.Change(0, SliceParts.All);
        _isGoingBack = true;
        Assert.NotNull(_gathering.Take(new StateGathered(Take.Step, null))!.Value.Failure);
    }

    [Fact]
    public void A_state_that_cannot_be_copied_is_not_asked_for_again()
    {
        _amidCopying = () => throw new InvalidOperationException("there is no memory");
        Assert.Equal((Take, "there is no memory"), _gathering.Take(new StateGathered(Take.Step, null)));
    }

    protected override void AfterAll()
    {
        base.AfterAll();
        _host.Dispose();
    }

    private void Copy(Step step)
    {
        Assert.Equal(Take.Step, step);
        _copies++;
        _amidCopying();
    }
}
