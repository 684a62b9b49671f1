using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;
using Cllm.Model.Checkpoints;
using Cllm.Model.Files;
using Cllm.Model.Shape;
using Cllm.Tests.Checkpoints;

namespace Cllm.Tests.Cluster;

public sealed class CheckpointFollowerTests : IAsyncDisposable
{
    private const int PieceBytes = 100;

    private static readonly ChannelAddress Address = new(7, "there", 1, ChannelCredential.Draw());

    private readonly MemoryFileStore _thereDisk = new();
    private readonly MemoryFileStore _hereDisk = new();
    private readonly SampleRun _there;
    private readonly SampleRun _here;
    private readonly LocalTransport _transport = new();
    private readonly List<TensorRequest> _asked = [];
    private readonly List<string> _notes = [];
    private readonly CheckpointFollower _follower;

    /// <summary>What happens when so many pieces were asked for, on the thread that copies: nothing else touches the disks meanwhile.</summary>
    private (int Pieces, Action Act) _amid = (-1, () => { });

    public CheckpointFollowerTests()
    {
        (_there, _here) = (new(_thereDisk, kept: 3), new(_hereDisk));
        _transport.Serve(Address, new CheckpointsThere(this));
        _follower = new(
            _transport, (step, state) => _here.Checkpoints.BeginCopy(step, state, SampleRun.Layout, SampleRun.ConfigurationDigest), _notes.Add, PieceBytes);
    }

    public ValueTask DisposeAsync() => _follower.DisposeAsync();

    [Fact]
    public async Task A_checkpoint_comes_piece_by_piece_and_is_the_same_bytes()
    {
        await FollowAsync(Written(7));
        Assert.Equal(7, _here.ReadNewest());
        foreach (string name in _thereDisk.List(_there.Checkpoints.PathOf(7)))
        {
            Assert.Equal(_thereDisk.Bytes($"{_there.Checkpoints.PathOf(7)}/{name}"), _hereDisk.Bytes($"{_here.Checkpoints.PathOf(7)}/{name}"));
        }

        Assert.All(_asked, request => Assert.InRange(request.Length, 1, PieceBytes));
        Assert.True(_asked.Count > 20);
        Assert.Equal(["the checkpoint of step 7 is here, where the run can go back to it; newer ones are copied as they are written"], _notes);
    }

    [Fact]
    public async Task One_that_is_here_is_not_asked_for_again()
    {
        await FollowAsync(Written(7));
        int asked = _asked.Count;
        await FollowAsync(Written(7));
        Assert.Equal(asked, _asked.Count);
    }

    [Fact]
    public async Task One_that_this_process_wrote_itself_is_not_asked_for()
    {
        _here.Write(7);
        await FollowAsync(Written(7));
        Assert.Empty(_asked);
    }

    [Fact]
    public async Task One_that_is_damaged_here_is_replaced()
    {
        _here.Write(7);
        string path = $"{_here.Checkpoints.PathOf(7)}/{CheckpointFolder.OptimizerName}";
        _hereDisk.Overwrite(path, [.. _hereDisk.Bytes(path)[..^1], 1]);
        await FollowAsync(Written(7));
        Assert.Equal(7, _here.ReadNewest());
        Assert.Empty(_here.Warnings);
    }

    [Fact]
    public async Task As_many_stay_as_the_run_keeps()
    {
        foreach (long step in new[] { 0, 5, 7 })
        {
            await FollowAsync(Written(step));
        }

        Assert.Equal([5, 7], _here.Checkpoints.ListSteps());
        Assert.Single(_notes);
    }

    [Fact]
    public async Task The_one_under_way_is_copied_to_its_end_before_the_newest_of_those_after_it()
    {
        _amid = (3, () =>
        {
            _follower.Follow(Written(8));
            _there.Write(9);
            _follower.Follow(Place(9));
        });
        await FollowAsync(Written(7));
        Assert.Equal([7, 9], _here.Checkpoints.ListSteps());
        Assert.Equal(9, _here.ReadNewest());
    }

    [Fact]
    public async Task One_that_is_removed_there_meanwhile_is_given_up_for_the_next()
    {
        _amid = (3, () => _thereDisk.Delete(_there.Checkpoints.PathOf(7)));
        await FollowAsync(Written(7));
        Assert.Equal(["the checkpoint of step 7 could not be copied here: The checkpoint of step 7 is not there any more"], _notes);
        Assert.Empty(_hereDisk.List("/run/checkpoints"));

        await FollowAsync(Written(9));
        Assert.Equal(9, _here.ReadNewest());
    }

    [Theory]
    [InlineData(CheckpointFolder.WeightsName)]
    [InlineData(CheckpointFolder.OptimizerName)]
    public async Task Other_bytes_than_its_state_says_never_become_a_checkpoint(string name)
    {
        var place = Written(7);
        string path = $"{_there.Checkpoints.PathOf(7)}/{name}";
        _thereDisk.Overwrite(path, [.. _thereDisk.Bytes(path)[..^1], 1]);
        await FollowAsync(place);
        Assert.Contains($"{name} was changed after it was written", Assert.Single(_notes), StringComparison.Ordinal);
        Assert.Empty(_hereDisk.List("/run/checkpoints"));

        int asked = _asked.Count;
        await FollowAsync(place);
        Assert.Equal(asked, _asked.Count);
    }

    [Fact]
    public async Task A_copy_that_broke_off_is_begun_again_when_the_checkpoint_is_heard_of_again()
    {
        var place = Written(7);
        _amid = (3, () => _transport.Stop(Address));
        await FollowAsync(place);
        Assert.Empty(_hereDisk.List("/run/checkpoints"));

        _transport.Serve(Address, new CheckpointsThere(this));
        await FollowAsync(place);
        Assert.Equal(7, _here.ReadNewest());
    }

    [Fact]
    public async Task What_a_killed_process_had_copied_in_part_is_removed()
    {
        _hereDisk.CreateFolder("/run/checkpoints/step-5.tmp");
        using (var file = _hereDisk.Create("/run/checkpoints/step-5.tmp/model.safetensors"))
        {
            file.Write([1, 2, 3]);
        }

        await FollowAsync(Written(7));
        Assert.Equal(["step-7"], _hereDisk.List("/run/checkpoints"));
    }

    [Fact]
    public async Task A_full_disk_is_told_in_a_sentence_and_the_next_checkpoint_finds_the_older_ones_whole()
    {
        await FollowAsync(Written(5));
        _hereDisk.CapacityBytes = _hereDisk.UsedBytes + (3 * PieceBytes);
        await FollowAsync(Written(7));
        Assert.StartsWith("the checkpoint of step 7 could not be copied here: /run/checkpoints/step-7.tmp/model.safetensors could not be written", _notes[^1], StringComparison.Ordinal);
        Assert.Equal(["step-5"], _hereDisk.List("/run/checkpoints"));
        Assert.Equal(5, _here.ReadNewest());

        _hereDisk.CapacityBytes = long.MaxValue;
        await FollowAsync(Written(9));
        Assert.Equal(9, _here.ReadNewest());
    }

    [Fact]
    public async Task Lengths_that_no_checkpoint_of_the_run_has_are_not_believed()
    {
        _there.Write(7);
        var state = CheckpointFolder.ReadState(_thereDisk, _there.Checkpoints.PathOf(7));
        await FollowAsync(new(new(7), Address, (state with { Optimizer = state.Optimizer with { Bytes = 1L << 40 } }).ToBytes()));
        Assert.Contains("its optimizer.safetensors is said to have 1099511627776 bytes", Assert.Single(_notes), StringComparison.Ordinal);
        Assert.Empty(_asked);
    }

    [Fact]
    public async Task A_checkpoint_of_another_step_or_run_is_not_asked_for()
    {
        _there.Write(7);
        var state = CheckpointFolder.ReadState(_thereDisk, _there.Checkpoints.PathOf(7));
        await FollowAsync(new(new(8), Address, state.ToBytes()));
        await FollowAsync(new(new(7), Address, (state with { ConfigurationDigest = "other" }).ToBytes()));
        await FollowAsync(new(new(9), Address, (state with { Step = 9, Shape = new GptShape(5, 3, 1, 2, 8) }).ToBytes()));
        await FollowAsync(new(new(10), Address, state.ToBytes()[..^1]));
        await FollowAsync(new(new(11), Address, new byte[1 << 17]));
        Assert.Equal(5, _notes.Count);
        Assert.Empty(_asked);
        Assert.Empty(_hereDisk.List("/run/checkpoints"));
    }

    [Fact]
    public async Task Nothing_is_written_any_more_once_it_has_stopped()
    {
        _amid = (3, () => _ = _follower.StopAsync());
        var place = Written(7);
        await FollowAsync(place);
        Assert.Empty(_hereDisk.List("/run/checkpoints"));
        await FollowAsync(place);
        Assert.Empty(_hereDisk.List("/run/checkpoints"));
        Assert.Empty(_notes);
    }

    [Fact]
    public void A_range_beyond_a_file_is_refused()
    {
        _there.Write(7);
        using var reader = new CheckpointReader(_there.Checkpoints);
        long bytes = _thereDisk.Bytes($"{_there.Checkpoints.PathOf(7)}/{CheckpointFolder.WeightsName}").Length;
        Assert.Equal(OpeningState.Ready, reader.Open(TensorRequest.Blob(CheckpointReader.Weights, bytes - 1, 1, new(7))).State);
        Assert.Equal(RefusalReason.WrongRange, reader.Open(TensorRequest.Blob(CheckpointReader.Weights, bytes, 1, new(7))).Refusal.Reason);
        Assert.Equal(RefusalReason.Gone, reader.Open(TensorRequest.Blob(CheckpointReader.Weights, 0, 1, new(8))).Refusal.Reason);
    }

    private CheckpointPlace Written(long step)
    {
        _there.Write(step);
        return Place(step);
    }

    private CheckpointPlace Place(long step) => new(new(step), Address, _there.Checkpoints.StateOf(step)!);

    private async Task FollowAsync(CheckpointPlace place)
    {
        _follower.Follow(place);
        await _follower.Copying.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private void Asked(in TensorRequest request)
    {
        _asked.Add(request);
        if (_asked.Count == _amid.Pieces)
        {
            _amid.Act();
        }
    }

    private sealed class CheckpointsThere(CheckpointFollowerTests test) : ITensorStore
    {
        public TensorSignal Changed { get; } = new();

        public ITensorReader CreateReader() => new Reader(test, new CheckpointReader(test._there.Checkpoints));

        private sealed class Reader(CheckpointFollowerTests test, CheckpointReader inner) : ITensorReader
        {
            public TensorOpening Open(in TensorRequest request)
            {
                test.Asked(request);
                return inner.Open(request);
            }

            public ReadOnlySpan<byte> Read(int section, long offset, int length, Span<byte> scratch) => inner.Read(section, offset, length, scratch);

            public TensorRefusal Close() => inner.Close();

            public void Dispose() => inner.Dispose();
        }
    }
}
