using Cllm.Actors.Local;

namespace Cllm.Tests.Actors;

public sealed class GradientBoardTests
{
    [Fact]
    public async Task The_memory_of_a_failed_worker_is_given_back_when_no_shard_reads()
    {
        using var host = new ScriptedHost();
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
}
