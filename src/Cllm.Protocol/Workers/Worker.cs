using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;

namespace Cllm.Protocol.Workers;

/// <summary>What a worker is doing.</summary>
public enum WorkerPhase
{
    /// <summary>Waits for a lease.</summary>
    Idle,

    /// <summary>Computes the lease at the head of its queue.</summary>
    Computing,

    /// <summary>Has left the run.</summary>
    Left,
}

/// <summary>
/// Computes what it is leased, one lease at a time in the order of arrival, and holds each gradient until it is released.
/// </summary>
public sealed class Worker : IMachine
{
    private readonly WorkerSettings _settings;

    /// <summary>
    /// Leases not answered yet; the head is the one computed when the phase says so. None is below the watermark, but for that head.
    /// </summary>
    private readonly Queue<LeaseOrder> _queue = new();

    /// <summary>
    /// Answers given since buffers were last released: given again if the lease comes again. None is below the watermark.
    /// </summary>
    private readonly List<LeaseAnswer> _answers = [];

    private EffectList _effects = null!;

    /// <summary>The watermark: leases below it are void.</summary>
    private LeaseId _releasedBelow;

    /// <summary>Whether buffers may be held.</summary>
    private bool _isHolding;

    /// <summary>Whether buffers are to be released as soon as no work is under way.</summary>
    private bool _isReleaseDue;

    /// <summary>Creates a worker that knows nothing yet.</summary>
    public Worker(WorkerSettings settings)
    {
        Invariant.Holds(settings.LeasesMax > 0, "a worker has room for a lease");
        _settings = settings;
        Fence.Epoch = settings.Epoch;
    }

    /// <summary>What it is doing.</summary>
    public WorkerPhase Phase { get; private set; }

    /// <summary>The newest epoch and step it has heard of, and what it dropped.</summary>
    public Fence Fence { get; } = new();

    /// <summary>Whether the lease that it computes is void by now: its result will be dropped, whatever it is.</summary>
    public bool IsAtVoidLease => Phase == WorkerPhase.Computing && _queue.Peek().Lease.Number < _releasedBelow.Number;

    /// <summary>
    /// The epoch in which it was leased what it computes. It may have heard of a later one, whose step is less: what it needs for this lease is then older than what it
    /// will need, whatever the steps. Asked while it computes.
    /// </summary>
    public Epoch LeaseEpoch => _queue.Peek().Epoch;

    /// <summary>Leases waiting or being computed.</summary>
    public int Waiting => _queue.Count;

    /// <inheritdoc/>
    public void Handle(long nowTicks, Input input, EffectList effects)
    {
        _effects = effects;
        var reason = Phase == WorkerPhase.Left ? DropReason.Finished : Take(input);
        if (reason != DropReason.None)
        {
            Fence.Drop(reason, input, effects);
        }
    }

    private DropReason Take(Input input)
    {
        switch (input)
        {
            case LeaseOrder order:
                return TakeOrder(order);
            case BuffersReleased released:
                return TakeRelease(released);
            case LeaseRevoked revoked:
                return Skip(revoked);
            case NodeComputed computed:
                return TakeResult(computed.Lease, computed.Buffer, computed.Payload);
            case UnitsEvaluated evaluated:
                return TakeResult(evaluated.Lease, -1, evaluated.Payload);
            case MachineStarted:
                return Announce();
            case CoordinatorStarted started:
                return Fence.Follow(started.Epoch) is var reason && reason == DropReason.None ? Announce() : reason;
            case LeaveRequested:
                Tell(new WorkerLeaving(_settings.Worker, _settings.Incarnation));
                return DropReason.None;
            case LeaveGranted granted:
                return Leave(granted);
            default:
                throw Invariant.Broken($"a worker takes no {input.GetType().Name}");
        }
    }

    private DropReason Announce()
    {
        Tell(new WorkerStarted(_settings.Worker, _settings.Incarnation, _settings.Node));
        return DropReason.None;
    }

    /// <summary>An order for an earlier incarnation: the coordinator has not heard of this one.</summary>
    private DropReason AnnounceIfUnknown(Incarnation ordered)
    {
        if (ordered.Number < _settings.Incarnation.Number)
        {
            Announce();
        }

        return DropReason.OtherIncarnation;
    }

    private DropReason TakeOrder(LeaseOrder order)
    {
        if (order.Incarnation != _settings.Incarnation)
        {
            return AnnounceIfUnknown(order.Incarnation);
        }

        var reason = Fence.Follow(order);
        if (reason != DropReason.None)
        {
            return reason;
        }

        if (order.Lease.Number < _releasedBelow.Number)
        {
            return DropReason.VoidLease;
        }

        Release(order.ReleasedBelow);
        if (Answered(order.Lease) is { } answer)
        {
            // The coordinator asks again because the answer did not reach it.
            Tell(answer);
            return DropReason.Duplicate;
        }

        foreach (var waiting in _queue)
        {
            if (waiting.Lease == order.Lease)
            {
                return DropReason.Duplicate;
            }
        }

        if (_queue.Count + _answers.Count >= _settings.LeasesMax)
        {
            return DropReason.NoRoom;
        }

        _queue.Enqueue(order);
        StartNext();
        return DropReason.None;
    }

    private DropReason TakeRelease(BuffersReleased released)
    {
        var reason = Fence.Follow(released);
        if (reason == DropReason.None)
        {
            Release(released.ReleasedBelow);
            StartNext();
        }

        return reason;
    }

    /// <summary>Takes a lease that is not begun out of the queue; what is begun is finished, and dropped where all late answers are.</summary>
    private DropReason Skip(LeaseRevoked revoked)
    {
        if (revoked.Incarnation != _settings.Incarnation)
        {
            return DropReason.OtherIncarnation;
        }

        var waiting = _queue.Count;
        for (var i = 0; i < waiting; i++)
        {
            var order = _queue.Dequeue();
            if (order.Lease != revoked.Lease || (i == 0 && Phase == WorkerPhase.Computing))
            {
                _queue.Enqueue(order);
            }
        }

        return DropReason.None;
    }

    private DropReason TakeResult(LeaseId lease, int buffer, Payload payload)
    {
        Invariant.Holds(Phase == WorkerPhase.Computing && _queue.Peek().Lease == lease,
            $"worker {_settings.Worker} computes lease {lease}");
        var order = _queue.Dequeue();
        Phase = WorkerPhase.Idle;
        var isVoid = lease.Number < _releasedBelow.Number;
        if (!isVoid)
        {
            LeaseAnswer answer = order is EvaluationLeased units
                ? new EvaluationReady(order.Epoch, order.Step, lease, _settings.Worker, units.First, units.Count, payload)
                : new GradientReady(order.Epoch, order.Step, lease, _settings.Worker, new(lease, buffer), payload);
            _answers.Add(answer);
            Tell(answer);
        }

        StartNext();
        return isVoid ? DropReason.VoidLease : DropReason.None;
    }

    private DropReason Leave(LeaveGranted granted)
    {
        if (granted.Incarnation != _settings.Incarnation)
        {
            return DropReason.OtherIncarnation;
        }

        if (granted.Epoch.Number < Fence.Epoch.Number)
        {
            return DropReason.OlderEpoch;
        }

        // Leases may be left: a coordinator that took this worker for lost has given them to others.
        Phase = WorkerPhase.Left;
        _queue.Clear();
        _effects.Add(new WorkerLeft());
        return DropReason.None;
    }

    /// <summary>
    /// Raises the watermark. Leases grow from step to step, so everything held so far is below it: all buffers can be released at once.
    /// </summary>
    private void Release(LeaseId below)
    {
        if (below.Number <= _releasedBelow.Number)
        {
            return;
        }

        _releasedBelow = below;
        foreach (var answer in _answers)
        {
            Invariant.Holds(answer.Lease.Number < below.Number, "buffers of one step are released together");
        }

        _isReleaseDue = _isHolding;
        _answers.Clear();
        var waiting = _queue.Count;
        for (var i = 0; i < waiting; i++)
        {
            var order = _queue.Dequeue();
            if (order.Lease.Number >= below.Number || (i == 0 && Phase == WorkerPhase.Computing))
            {
                _queue.Enqueue(order);
            }
        }
    }

    private void StartNext()
    {
        if (Phase != WorkerPhase.Idle)
        {
            return;
        }

        if (_isReleaseDue)
        {
            _isReleaseDue = _isHolding = false;
            _effects.Add(new ReleaseBuffers());
        }

        if (_queue.TryPeek(out var order))
        {
            Phase = WorkerPhase.Computing;
            _isHolding |= order is LeafLeased;
            _effects.Add(order switch
            {
                LeafLeased leaf => new ComputeNode(leaf.Lease, leaf.Step, leaf.Node),
                EvaluationLeased units => new EvaluateUnits(units.Lease, units.Step, units.First, units.Count),
                _ => throw Invariant.Broken($"a worker computes no {order.GetType().Name}"),
            });
        }
    }

    private LeaseAnswer? Answered(LeaseId lease)
    {
        foreach (var answer in _answers)
        {
            if (answer.Lease == lease)
            {
                return answer;
            }
        }

        return null;
    }

    private void Tell(Input message) => _effects.Add(new Send(Destination.Coordinator, message));
}
