using Cllm.Actors.Local;
using Cllm.Protocol.Identity;

namespace Cllm.Tests.Actors;

public sealed class GradientBoardTests
{
    [Fact]
    public async Task The_memory_of_a_failed_worker_is_given_back_when_no_shard_reads()
    {
        using var host = new ScriptedHost([]);
        var board = new GradientBoard(1);
        board.Enter(new(0), host);
        board.Hold(new(0), new(new(7), 0));
        board.BeginReading();
        board.BeginReading();

        var isRead = false;
        var failing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var leaving = Task.Run(() =>
        {
            failing.SetResult();
            board.Leave(new(0));
            return Volatile.Read(ref isRead);
        });

        await failing.Task;
        board.EndReading();
        Assert.Same(host, board.Find(new(new(0, 0), new(0), new(new(7), 0))).Holder);
        Volatile.Write(ref isRead, true);
        board.EndReading();
        Assert.True(await leaving);
        Assert.Throws<InvalidOperationException>(() => board.Find(new(new(0, 0), new(0), new(new(7), 0))));
    }

    [Fact]
    public void A_part_of_a_gradient_is_ready_as_soon_as_it_is_final()
    {
        using var host = new ScriptedHost([]);
        var board = new GradientBoard(1);
        board.Enter(new(0), host);
        Assert.Equal(GradientState.Coming, Look(board, lease: 8, offset: 0));
        board.Begin(new(0), new(8));
        Assert.Equal(GradientState.Coming, Look(board, lease: 8, offset: 100));
        board.Hold(new(0), new(new(8), 3), offset: 60);
        Assert.Equal(GradientState.Ready, Look(board, lease: 8, offset: 60));
        Assert.Equal(GradientState.Ready, Look(board, lease: 8, offset: 100, buffer: 3));
        Assert.Equal(GradientState.Coming, Look(board, lease: 8, offset: 59));
        Assert.Equal(GradientState.Coming, Look(board, lease: 9, offset: 100));
        Assert.Equal(GradientState.Gone, Look(board, lease: 7, offset: 100));
        board.Hold(new(0), new(new(8), 3));
        Assert.Equal(GradientState.Ready, Look(board, lease: 8, offset: 0));
    }

    [Fact]
    public void What_is_released_or_lost_is_gone_for_whoever_reads_or_waits()
    {
        using var host = new ScriptedHost([]);
        var board = new GradientBoard(2);
        board.Enter(new(0), host);
        board.Begin(new(0), new(8));
        board.Hold(new(0), new(new(8), 0));
        board.Release(new(0));
        Assert.Equal(GradientState.Gone, Look(board, lease: 8, offset: 0));
        Assert.Equal(GradientState.Coming, Look(board, lease: 9, offset: 0));
        board.Leave(new(0));
        Assert.Equal(GradientState.Gone, Look(board, lease: 9, offset: 0));
        Assert.Equal(GradientState.Gone, Look(board, lease: 9, offset: 0, worker: 1));
        Assert.Equal(GradientState.Gone, Look(board, lease: 9, offset: 0, worker: 2));
    }

    [Fact]
    public void Those_who_wait_are_woken_when_one_of_them_can_go_on_and_not_at_every_block()
    {
        using var host = new ScriptedHost([]);
        var board = new GradientBoard(1) { Changed = new() };
        board.Enter(new(0), host);
        board.Begin(new(0), new(8));
        board.Hold(new(0), new(new(8), 0), offset: 90);
        Assert.Equal(0, board.Changed.Version);
        Look(board, lease: 8, offset: 10);
        Look(board, lease: 8, offset: 50);
        board.Hold(new(0), new(new(8), 0), offset: 51);
        Assert.Equal(0, board.Changed.Version);
        board.Hold(new(0), new(new(8), 0), offset: 50);
        Assert.Equal(1, board.Changed.Version);
        board.Hold(new(0), new(new(8), 0), offset: 20);
        Assert.Equal(1, board.Changed.Version);
        Look(board, lease: 8, offset: 10);
        board.Release(new(0));
        Assert.Equal(2, board.Changed.Version);
    }

    private static GradientState Look(GradientBoard board, long lease, long offset, int worker = 0, int buffer = BufferLease.Any) =>
        board.Look(new(new(0, 0), new(worker), new(new(lease), buffer)), offset, out _);
}
