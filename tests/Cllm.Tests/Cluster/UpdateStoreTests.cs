using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;
using Cllm.Model.Compute;
using Cllm.Protocol.Identity;

namespace Cllm.Tests.Cluster;

public sealed class UpdateStoreTests : IDisposable
{
    private static readonly ShardIndex Shard = new(1);
    private static readonly StepScalars Scalars = new(3.25, 0.5, 1e-3, 0.75f);

    private readonly RunHost _host = BareRun.Host();
    private readonly NodeRun _run;
    private readonly ITensorReader _reader;

    public UpdateStoreTests()
    {
        _run = new NodeRun(BareRun.Settings(_host, shards: 3), _host);
        _run.OwnHere(Shard.Number);
        _reader = new NodeStore(_run).CreateReader();
    }

    public void Dispose()
    {
        _reader.Dispose();
        _run.Updates.Dispose();
        _host.Dispose();
    }

    [Fact]
    public void An_update_is_given_out_from_the_commit_on_and_no_sooner()
    {
        using var compute = StartAt(5);
        Assert.Equal(OpeningState.NotYet, Open(5).State);
        _run.SumChanges(Shard);
        Assert.Equal(OpeningState.NotYet, Open(5).State);
        _run.SumStands(Shard, new(5), Scalars);
        Assert.Equal(OpeningState.NotYet, Open(5).State);
        _run.SliceChanges(Shard);
        Assert.Equal(OpeningState.Ready, Open(5).State);
        _run.SliceStands(Shard, new(6));
        Assert.Equal(OpeningState.Ready, Open(5).State);
        Assert.Equal(RefusalReason.None, _reader.Close().Reason);
        Assert.Equal(OpeningState.NotYet, Open(6).State);
        Assert.Equal(RefusalReason.Gone, Open(4).Refusal.Reason);
    }

    [Fact]
    public void An_update_that_is_overwritten_while_it_is_read_is_withdrawn_and_gone_after_that()
    {
        using var compute = StartAt(5);
        Commit(5);
        Assert.Equal(OpeningState.Ready, Open(5).State);
        _run.SumChanges(Shard);
        Assert.Equal(RefusalReason.Withdrawn, _reader.Close().Reason);
        Assert.Equal(RefusalReason.Gone, Open(5).Refusal.Reason);
    }

    [Fact]
    public void What_was_committed_before_the_shard_was_started_again_at_an_earlier_step_is_not_given_out_ahead_of_it()
    {
        using (StartAt(5))
        {
            Commit(5);
        }

        using var again = StartAt(5);
        _run.SliceChanges(Shard);
        Assert.Equal(OpeningState.NotYet, Open(5).State);
    }

    [Fact]
    public void The_scalars_are_behind_the_gradient_bit_for_bit_and_a_part_is_refused()
    {
        using var compute = StartAt(5);
        Commit(5);
        Assert.Equal(Scalars, _run.Updates.ScalarsOf(Shard.Number));
        var range = _run.Ranges[Shard.Number];
        var part = TensorRequest.Update(new(1), new(5), Shard, range.Offset, range.Length - 1);
        Assert.Equal(RefusalReason.WrongRange, _reader.Open(part).Refusal.Reason);
        Assert.Equal(TensorRequest.ScalarBytes, _reader.Open(Request(5)).State == OpeningState.Ready
            ? _reader.Read(0, range.Length * sizeof(float), TensorRequest.ScalarBytes, []).Length : 0);
    }

    [Fact]
    public void What_only_an_owner_will_have_is_refused_where_the_shard_is_owned_no_longer_and_who_waits_for_it_is_woken()
    {
        using var compute = StartAt(5);
        Assert.Equal(OpeningState.NotYet, Open(5).State);
        Assert.Equal(OpeningState.NotYet, _reader.Open(Moments(6)).State);
        var looked = _run.Slices.Changed.Version;
        _run.GiveAway(Shard.Number);
        Assert.NotEqual(looked, _run.Slices.Changed.Version);
        Assert.Equal(RefusalReason.Unknown, Open(5).Refusal.Reason);
        Assert.Equal(RefusalReason.Unknown, _reader.Open(Moments(6)).Refusal.Reason);
    }

    private IShardCompute StartAt(long step)
    {
        _run.SliceStands(Shard, new(step));
        return _run.CreateShard(Shard);
    }

    private void Commit(long step)
    {
        _run.SumChanges(Shard);
        _run.SumStands(Shard, new(step), Scalars);
        _run.SliceChanges(Shard);
        _run.SliceStands(Shard, new Step(step).Next);
    }

    private TensorRequest Moments(long step)
    {
        var range = _run.Ranges[Shard.Number];
        return TensorRequest.Moments(new(1), new(step), Shard, range.Offset, range.Length, 1000);
    }

    private TensorOpening Open(long step) => _reader.Open(Request(step));

    private TensorRequest Request(long step)
    {
        var range = _run.Ranges[Shard.Number];
        return TensorRequest.Update(new(1), new(step), Shard, range.Offset, range.Length);
    }
}
