using System.Diagnostics;
using Akka.Dispatch;

namespace Cllm.Actors.Threads;

/// <summary>One thread of <see cref="ActorThreads"/>.</summary>
/// <remarks>
/// Between two orders of a step pass some millionths of a second, while waking a sleeping thread takes dozens: so it looks for more before it sleeps. Where that was in vain
/// it looks half as long the next time, and as long as ever once something came while it looked or soon after it fell asleep. What others run meanwhile on a busy
/// machine it lets run.
/// </remarks>
internal sealed class ActorThread : IDisposable
{
    /// <summary>Stands in <see cref="_given"/> for a thread that sleeps, and one that is to end.</summary>
    private static readonly IRunnable Asleep = new Sign(), Over = new Sign();

    private static readonly long LookTicksMax = Stopwatch.Frequency / 10_000;
    private static readonly long LookTicksMin = Stopwatch.Frequency / 1_000_000;

    [ThreadStatic]
    private static ActorThread? _current;

    private readonly AutoResetEvent _wake = new(false);
    private long _lookTicks = LookTicksMax;
    private IRunnable? _kept;

    /// <summary>What others have given it to run; none while it runs or looks for more.</summary>
    private IRunnable? _given;

    private ActorThread(ActorThreads threads) => Threads = threads;

    /// <summary>The thread that asks; none where it is another one.</summary>
    public static ActorThread? Current => _current;

    /// <summary>Those that it is one of.</summary>
    public ActorThreads Threads { get; }

    /// <summary>Starts one.</summary>
    /// <param name="threads">Those that it is one of.</param>
    /// <param name="first">What it runs first.</param>
    /// <param name="name">Its name.</param>
    public static void Start(ActorThreads threads, IRunnable first, string name)
    {
        var thread = new ActorThread(threads);
        new Thread(() => thread.Serve(first)) { IsBackground = true, Name = name }.Start();
    }

    /// <summary>Has this thread run something next. Called by itself.</summary>
    /// <returns>Whether nothing was to be run next before.</returns>
    public bool TryKeep(IRunnable run)
    {
        if (_kept is not null)
        {
            return false;
        }

        _kept = run;
        return true;
    }

    /// <summary>Takes what this thread was to run next, if anything. Called by itself.</summary>
    public IRunnable? TakeKept()
    {
        var kept = _kept;
        _kept = null;
        return kept;
    }

    /// <summary>Has it run something while it has nothing to do. Called once, by whoever took it from those that have nothing to do.</summary>
    public void Give(IRunnable run)
    {
        if (Interlocked.Exchange(ref _given, run) == Asleep)
        {
            _wake.Set();
        }
    }

    /// <summary>Ends it while it has nothing to do.</summary>
    public void End() => Give(Over);

    /// <summary>Called by itself at its end.</summary>
    public void Dispose() => _wake.Dispose();

    private void Serve(IRunnable first)
    {
        _current = this;
        for (var run = first; run != Over; run = TakeKept() ?? Await())
        {
            run.Run();
        }

        Dispose();
    }

    private IRunnable Await()
    {
        if (!Threads.Rest(this))
        {
            return Over;
        }

        var began = Stopwatch.GetTimestamp();
        var spin = new SpinWait();
        while (Volatile.Read(ref _given) is null && Stopwatch.GetTimestamp() - began < _lookTicks)
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }

        if (Interlocked.CompareExchange(ref _given, Asleep, null) is null)
        {
            _wake.WaitOne();
        }

        var isSoon = Stopwatch.GetTimestamp() - began < LookTicksMax;
        _lookTicks = isSoon ? LookTicksMax : Math.Max(_lookTicks / 2, LookTicksMin);
        return Interlocked.Exchange(ref _given, null)!;
    }

    private sealed class Sign : IRunnable
    {
        public void Run() => throw Cllm.Protocol.Invariant.Broken("a sign is not run");

        public void Execute() => Run();
    }
}
