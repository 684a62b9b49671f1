using Cllm.Actors;
using Cllm.Protocol;

namespace Cllm.Simulation.Scaling.Timed;

/// <summary>
/// An actor with a thread of its own, which takes one message after another and does its work between two of them. Driven by the program's own loop.
/// </summary>
internal abstract class TimedActor : IEffectPerformer
{
    private readonly Queue<object> _inbox = new();
    private readonly MachineRunner _runner;
    private readonly Action _wake;
    private bool _isAwake;
    private DeadlineSet? _deadline;

    protected TimedActor(TimedCluster cluster, TimedNode node, IMachine machine)
    {
        (Cluster, Node) = (cluster, node);
        _runner = new(machine, this);
        _wake = Wake;
    }

    /// <summary>The thread's time: until then it is busy.</summary>
    public long NowTicks { get; private set; }

    public TimedNode Node { get; }

    protected TimedCluster Cluster { get; }

    public Input? Perform(Effect effect)
    {
        switch (effect)
        {
            case Note note:
                Cluster.Notes.Add(note.Reason);
                return null;
            case DeadlineSet deadline:
                _deadline = deadline;
                Cluster.Queue.At(Math.Max(deadline.AtTicks, NowTicks), () => PassDeadline(deadline));
                return null;
            default:
                return Do(effect);
        }
    }

    /// <summary>Something arrives in its mailbox, now.</summary>
    public void Take(object message)
    {
        _inbox.Enqueue(message);
        if (!_isAwake)
        {
            _isAwake = true;
            Cluster.Queue.At(Math.Max(NowTicks, Cluster.Queue.NowTicks), _wake);
        }
    }

    /// <summary>Tells another actor something, at the thread's time.</summary>
    /// <param name="to">Who.</param>
    /// <param name="message">What.</param>
    /// <param name="sources">Sources named in it.</param>
    public void Tell(TimedActor to, object message, int sources = 0)
    {
        Spend(Cluster.Rates.MessageTime + (sources * Cluster.Rates.SourceTime));
        Cluster.Queue.At(NowTicks + Cluster.Latency(Node, to.Node), () => to.Take(message));
    }

    protected abstract void Receive(object message);

    protected abstract Input? Do(Effect effect);

    protected void Feed(Input input) => _runner.Feed(input);

    protected void Spend(double seconds) => NowTicks += TimedCluster.Ticks(seconds);

    private void Wake()
    {
        NowTicks = Cluster.Queue.NowTicks;
        Spend(Cluster.Rates.MessageTime);
        Receive(_inbox.Dequeue());
        _isAwake = _inbox.Count > 0;
        if (_isAwake)
        {
            Cluster.Queue.At(NowTicks, _wake);
        }
    }

    private void PassDeadline(DeadlineSet deadline)
    {
        if (ReferenceEquals(_deadline, deadline))
        {
            Take(new DeadlinePassed());
        }
    }
}
