namespace Cllm.Numerics.Parallel;

/// <summary>
/// A fixed set of threads that run one program together: the caller is member 0, the others are owned by the team.
/// Kernels stay single-threaded; a program gives each member its own range of outputs and meets at barriers, so no sum is ever split.
/// </summary>
/// <remarks>
/// Hand-over spins first, because a step of a small model lasts about a millisecond and waking a sleeping thread takes a twentieth of that;
/// a member that waits longer gives its core away. A program that throws in one member stops the others at their next barrier.
/// </remarks>
public sealed class ThreadTeam : IDisposable
{
    private const int SpinsBeforeSleep = 2000;

    private readonly Thread[] _members;
    private readonly ManualResetEventSlim _wake = new(false, 0);
    private ITeamProgram? _program;
    private Exception? _failure;
    private int _run;
    private int _arrived;
    private int _barrierTurn;
    private int _finished;
    private volatile bool _disposed;

    /// <summary>Starts the team.</summary>
    /// <param name="threads">Threads in total, the caller's included; at least 1.</param>
    public ThreadTeam(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        _members = new Thread[threads - 1];
        for (int i = 0; i < _members.Length; i++)
        {
            int member = i + 1;
            _members[i] = new Thread(() => Serve(member)) { IsBackground = true, Name = $"cllm team member {member}" };
            _members[i].Start();
        }
    }

    /// <summary>Threads in the team, the caller's included.</summary>
    public int Threads { get; }

    /// <summary>Runs <paramref name="program"/> on all threads and returns when each has finished.</summary>
    /// <exception cref="Exception">The first exception a member's part threw.</exception>
    public void Run(ITeamProgram program)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Threads == 1)
        {
            program.Run(this, 0);
            return;
        }

        _program = program;
        _failure = null;
        _arrived = 0;
        Volatile.Write(ref _finished, 0);
        Interlocked.Increment(ref _run);
        _wake.Set();
        RunPart(program, 0);
        var spin = new SpinWait();
        while (Volatile.Read(ref _finished) < _members.Length)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }

        _wake.Reset();
        if (_failure is not null)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(_failure);
        }
    }

    /// <summary>Waits until every member has come here.</summary>
    /// <exception cref="OperationCanceledException">Another member failed, so the barrier will never fill.</exception>
    public void Barrier()
    {
        if (Threads == 1)
        {
            return;
        }

        int turn = Volatile.Read(ref _barrierTurn);
        if (Interlocked.Increment(ref _arrived) == Threads)
        {
            _arrived = 0;
            Volatile.Write(ref _barrierTurn, turn + 1);
            return;
        }

        var spin = new SpinWait();
        while (Volatile.Read(ref _barrierTurn) == turn)
        {
            if (Volatile.Read(ref _failure) is not null)
            {
                throw new OperationCanceledException("another thread of the team failed");
            }

            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// <summary>Cuts <paramref name="count"/> outputs into one contiguous range per member, borders at multiples of <paramref name="multiple"/>.</summary>
    /// <returns>The range of <paramref name="member"/>; empty when there is not enough work.</returns>
    public (int First, int Count) Part(int member, int count, int multiple = 1)
    {
        int units = (count + multiple - 1) / multiple;
        int first = Math.Min((int)((long)units * member / Threads) * multiple, count);
        int end = Math.Min((int)((long)units * (member + 1) / Threads) * multiple, count);
        return (first, end - first);
    }

    /// <summary>Ends the team's threads. Not to be called while a program runs.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        Interlocked.Increment(ref _run);
        _wake.Set();
        foreach (Thread member in _members)
        {
            member.Join();
        }

        _wake.Dispose();
    }

    private void Serve(int member)
    {
        int seen = 0;
        while (true)
        {
            WaitForRun(seen);
            seen++;
            if (_disposed)
            {
                return;
            }

            RunPart(_program!, member);
            Interlocked.Increment(ref _finished);
        }
    }

    private void WaitForRun(int seen)
    {
        for (int i = 0; i < SpinsBeforeSleep; i++)
        {
            if (Volatile.Read(ref _run) != seen)
            {
                return;
            }

            Thread.SpinWait(20);
        }

        while (Volatile.Read(ref _run) == seen)
        {
            _wake.Wait();
        }
    }

    private void RunPart(ITeamProgram program, int member)
    {
        try
        {
            program.Run(this, member);
        }
        catch (OperationCanceledException) when (_failure is not null)
        {
            // Stopped at a barrier by the member that failed; that member's exception is the one to report.
        }
        catch (Exception failure)
        {
            Interlocked.CompareExchange(ref _failure, failure, null);
        }
    }
}
