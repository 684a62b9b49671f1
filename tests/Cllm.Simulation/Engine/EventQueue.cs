using Cllm.Protocol;

namespace Cllm.Simulation.Engine;

/// <summary>What happens at an instant of virtual time.</summary>
internal enum EventKind
{
    /// <summary>A message reaches a machine.</summary>
    Deliver,

    /// <summary>An actor's work is over.</summary>
    WorkDone,

    /// <summary>A coordinator's deadline passes.</summary>
    Deadline,

    /// <summary>A coordinator's host writes its copy of the state.</summary>
    Write,

    /// <summary>A node's process starts again.</summary>
    NodeStart,

    /// <summary>The whole run is started again from its newest checkpoint.</summary>
    RunStart,

    /// <summary>Bytes arrive over the tensor channel, or do not.</summary>
    Channel,

    /// <summary>Membership, announcements and the fault plan go on.</summary>
    Tick,
}

/// <summary>Something that will happen.</summary>
/// <param name="AtTicks">Virtual time, in units of 100 nanoseconds.</param>
/// <param name="Order">Number of the event: events of one instant happen in the order in which they were planned.</param>
/// <param name="Kind">What happens.</param>
/// <param name="To">The machine it happens to; for a node's events its index is the node.</param>
/// <param name="Host">The very actor it happens to; none where it happens to whoever has the address then.</param>
/// <param name="Body">The message, or the work.</param>
internal readonly record struct Event(long AtTicks, long Order, EventKind Kind, Destination To, object? Host, object? Body);

/// <summary>Events by time, then by order of planning: a binary heap.</summary>
internal sealed class EventQueue
{
    private Event[] _heap = new Event[1024];
    private int _count;
    private long _order;

    /// <summary>Events planned and not taken yet.</summary>
    public int Count => _count;

    /// <summary>Plans an event.</summary>
    public void Add(long atTicks, EventKind kind, Destination to, object? host, object? body)
    {
        if (_count == _heap.Length)
        {
            Array.Resize(ref _heap, 2 * _count);
        }

        var planned = new Event(atTicks, _order++, kind, to, host, body);
        var at = _count++;
        while (at > 0 && IsBefore(planned, _heap[(at - 1) / 2]))
        {
            _heap[at] = _heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }

        _heap[at] = planned;
    }

    /// <summary>Takes the next event.</summary>
    public Event Take()
    {
        var first = _heap[0];
        var last = _heap[--_count];
        _heap[_count] = default;
        var at = 0;
        for (var child = 1; child < _count; child = (2 * at) + 1)
        {
            if (child + 1 < _count && IsBefore(_heap[child + 1], _heap[child]))
            {
                child++;
            }

            if (!IsBefore(_heap[child], last))
            {
                break;
            }

            _heap[at] = _heap[child];
            at = child;
        }

        _heap[at] = last;
        if (_count == 0)
        {
            _heap[0] = default;
        }

        return first;
    }

    private static bool IsBefore(in Event left, in Event right) =>
        left.AtTicks < right.AtTicks || (left.AtTicks == right.AtTicks && left.Order < right.Order);
}
