using Akka.Dispatch;

namespace Cllm.Actors.Threads;

/// <summary>
/// The threads on which coordinator, workers and shards of a process run. What an actor gets while another one runs waits for that one's thread, which goes on with it
/// in the caches that the first has filled; everything else gets a thread that has nothing to do, or a new one. So nobody waits for somebody who computes, there are
/// never more threads than actors, and of an order and its answer that follow each other none wakes a thread.
/// </summary>
internal sealed class ActorThreads(string name)
{
    private readonly object _gate = new();

    /// <summary>Those that have nothing to do, the last one to have computed on top: it may not be asleep yet.</summary>
    private readonly Stack<ActorThread> _idle = new();
    private int _started;
    private bool _isOpen = true;

    /// <summary>Threads started so far.</summary>
    public int Started => Volatile.Read(ref _started);

    /// <summary>Work that takes long begins on this thread: what waits for it is given to another one.</summary>
    public static void HandOn()
    {
        if (ActorThread.Current is { } current && current.TakeKept() is { } kept)
        {
            current.Threads.Give(kept);
        }
    }

    /// <summary>Has something run: on this thread when it is one of them and nothing waits for it yet, else on another.</summary>
    public void Execute(IRunnable run)
    {
        if (ActorThread.Current is not { } current || current.Threads != this || !current.TryKeep(run))
        {
            Give(run);
        }
    }

    /// <summary>Actors come: threads with nothing to do wait for more.</summary>
    public void Open()
    {
        lock (_gate)
        {
            _isOpen = true;
        }
    }

    /// <summary>No actor is left: threads with nothing to do end.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isOpen = false;
            while (_idle.TryPop(out var idle))
            {
                idle.End();
            }
        }
    }

    /// <summary>A thread has nothing to do.</summary>
    /// <returns>Whether it is to wait for more.</returns>
    public bool Rest(ActorThread thread)
    {
        lock (_gate)
        {
            if (_isOpen)
            {
                _idle.Push(thread);
            }

            return _isOpen;
        }
    }

    private void Give(IRunnable run)
    {
        ActorThread? idle;
        lock (_gate)
        {
            _idle.TryPop(out idle);
        }

        if (idle is not null)
        {
            idle.Give(run);
        }
        else
        {
            ActorThread.Start(this, run, $"{name} {Interlocked.Increment(ref _started)}");
        }
    }
}
