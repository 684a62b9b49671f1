using System.Collections.Concurrent;
using Akka.Dispatch;
using Cllm.Actors.Threads;

namespace Cllm.Tests.Actors;

/// <summary>Who runs on which of the threads that actors share.</summary>
public sealed class ActorThreadsTests : IDisposable
{
    private readonly ActorThreads _threads = new("test actors");

    public void Dispose() => _threads.Close();

    [Fact]
    public void What_is_told_last_goes_on_in_the_same_thread()
    {
        using var done = new ManualResetEventSlim();
        int first = 0, second = 0;
        Execute(() =>
        {
            first = Environment.CurrentManagedThreadId;
            Execute(() =>
            {
                second = Environment.CurrentManagedThreadId;
                done.Set();
            });
        });
        done.Wait();
        Assert.Equal(first, second);
        Assert.Equal(1, _threads.Started);
    }

    [Fact]
    public void A_second_one_does_not_wait_for_the_first()
    {
        using var meeting = new Barrier(2);
        using var done = new CountdownEvent(2);
        Execute(() =>
        {
            for (var i = 0; i < 2; i++)
            {
                Execute(() =>
                {
                    meeting.SignalAndWait();
                    done.Signal();
                });
            }
        });
        done.Wait();
        Assert.Equal(2, _threads.Started);
    }

    [Fact]
    public void Who_begins_to_compute_lets_another_thread_have_what_waits_for_it()
    {
        using var told = new ManualResetEventSlim();
        using var done = new ManualResetEventSlim();
        Execute(() =>
        {
            Execute(told.Set);
            ActorThreads.HandOn();
            told.Wait();
            done.Set();
        });
        done.Wait();
        Assert.Equal(2, _threads.Started);
    }

    [Fact]
    public void A_thread_with_nothing_to_do_is_used_again()
    {
        const int runs = 200;
        using var done = new AutoResetEvent(false);
        for (var i = 0; i < runs; i++)
        {
            // Some are given while the thread looks for more, some while it sleeps, some before it has come to look.
            Execute(() => done.Set());
            done.WaitOne();
        }

        Assert.InRange(_threads.Started, 1, runs / 2);
    }

    [Fact]
    public void Everything_runs_once_whoever_gives_it()
    {
        const int givers = 4, each = 2000;
        var counts = new int[givers * each];
        using var done = new CountdownEvent(counts.Length);
        Parallel.For(0, givers, giver =>
        {
            for (var i = 0; i < each / 2; i++)
            {
                var at = (giver * each) + (2 * i);
                Execute(() =>
                {
                    Count(at);
                    Execute(() => Count(at + 1));
                });
            }
        });
        done.Wait();
        Assert.All(counts, count => Assert.Equal(1, count));

        void Count(int at)
        {
            Interlocked.Increment(ref counts[at]);
            done.Signal();
        }
    }

    [Fact]
    public void Threads_end_when_no_actor_is_left_and_come_again_with_the_next_one()
    {
        var seen = new ConcurrentBag<Thread>();
        using var done = new AutoResetEvent(false);
        Run();
        _threads.Close();
        Assert.All(seen, thread => thread.Join());
        Run();
        Assert.Equal(2, _threads.Started);
        _threads.Open();
        Run();
        Assert.Equal(3, _threads.Started);

        void Run()
        {
            Execute(() =>
            {
                seen.Add(Thread.CurrentThread);
                done.Set();
            });
            done.WaitOne();
        }
    }

    private void Execute(Action action) => _threads.Execute(new ActionRunnable(action));
}
