using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Tree;

namespace Cllm.Protocol.Coordination;

/// <summary>Which worker has which units under which lease, and what came back. A unit is a leaf of a step or a range of held-out rows of an evaluation.</summary>
/// <remarks>
/// A unit is held by one lease that is not void, and a copy of that lease at another worker may stand beside it until one of the two is answered, which makes
/// the other void: when all units are answered each is counted exactly once.
/// </remarks>
internal sealed class LeaseLedger(LeaseId next)
{
    private const int None = -1;

    private readonly List<Entry> _entries = [];
    private readonly List<Payload> _payloads = [];
    private int[] _holder = [];
    private LeaseId _next = next;

    /// <summary>Units in all.</summary>
    public int Units { get; private set; }

    /// <summary>Units answered.</summary>
    public int Answered { get; private set; }

    /// <summary>Units that no valid lease covers.</summary>
    public int Pending { get; private set; }

    /// <summary>Leases given since the beginning.</summary>
    public int Given => _entries.Count;

    /// <summary>First lease since the beginning: all before it are void.</summary>
    public LeaseId First { get; private set; } = next;

    /// <summary>Whether every unit is answered.</summary>
    public bool Complete => Answered == Units;

    /// <summary>Begins anew: all leases given so far are void.</summary>
    public void Begin(int units)
    {
        if (_holder.Length < units)
        {
            _holder = new int[units];
        }

        _holder.AsSpan(0, units).Fill(None);
        _entries.Clear();
        First = _next;
        (Units, Answered, Pending) = (units, 0, units);
    }

    /// <summary>Gives a lease on units that no valid lease covers.</summary>
    public LeaseId Give(WorkerId worker, int first, int count, LeafNode node, long nowTicks)
    {
        for (var unit = first; unit < first + count; unit++)
        {
            Invariant.Holds(_holder[unit] == None, $"unit {unit} is leased once");
            _holder[unit] = _entries.Count;
        }

        _entries.Add(new(_next, worker, first, count, node) { GivenTicks = nowTicks });
        Pending -= count;
        var lease = _next;
        _next = _next.Next;
        return lease;
    }

    /// <summary>Gives a second lease on what a lease covers that has no answer and no copy.</summary>
    public LeaseId Copy(LeaseId original, WorkerId worker, long nowTicks)
    {
        var entry = Find(original)!;
        Invariant.Holds(entry is { IsVoid: false, Answer: null, Rival: None }, $"lease {original} is copied once, while it is awaited");
        var copy = new Entry(_next, worker, entry.First, entry.Count, entry.Node) { Rival = At(original), IsCopy = true, GivenTicks = nowTicks };
        entry.Rival = _entries.Count;
        _entries.Add(copy);
        _next = _next.Next;
        return copy.Lease;
    }

    /// <summary>Gives another worker what a lease covers that has no answer and no copy; the lease is void.</summary>
    public LeaseId Move(LeaseId original, WorkerId worker, long nowTicks)
    {
        var entry = Find(original)!;
        Invariant.Holds(entry is { IsVoid: false, Answer: null, Rival: None }, $"lease {original} is moved while it is awaited");
        entry.IsVoid = true;
        _holder.AsSpan(entry.First, entry.Count).Fill(None);
        Pending += entry.Count;
        return Give(worker, entry.First, entry.Count, entry.Node, nowTicks);
    }

    /// <summary>Whether an answer is awaited: none if so.</summary>
    public DropReason Judge(LeaseAnswer answer)
    {
        if (Find(answer.Lease) is not { } entry || entry.Worker != answer.Worker)
        {
            return DropReason.VoidLease;
        }

        if (entry.IsVoid)
        {
            return entry.IsOutrun ? DropReason.Outrun : DropReason.VoidLease;
        }

        return entry.Answer is null ? DropReason.None : DropReason.Duplicate;
    }

    /// <summary>Takes an awaited answer.</summary>
    /// <returns>The lease that is void because of it, and its worker; none when there was no copy.</returns>
    public Loser? Take(LeaseAnswer answer)
    {
        var entry = Find(answer.Lease)!;
        entry.Answer = answer;
        Answered += entry.Count;
        if (entry.Rival == None)
        {
            return null;
        }

        var rival = _entries[entry.Rival];
        (rival.IsVoid, rival.IsOutrun, rival.Rival, entry.Rival) = (true, true, None, None);
        _holder.AsSpan(entry.First, entry.Count).Fill(At(entry.Lease));
        return new(rival.Lease, rival.Worker, rival.IsCopy);
    }

    /// <summary>Makes a worker's leases void, those it has answered as well: what it held is gone. Their copies stand in for those that have one.</summary>
    /// <returns>Whether anything was void because of it that had been answered.</returns>
    public bool Revoke(WorkerId worker)
    {
        var isUndone = false;
        foreach (var entry in _entries)
        {
            if (entry.Worker != worker || entry.IsVoid)
            {
                continue;
            }

            entry.IsVoid = true;
            if (entry.Rival != None)
            {
                _holder.AsSpan(entry.First, entry.Count).Fill(entry.Rival);
                (_entries[entry.Rival].Rival, entry.Rival) = (None, None);
                continue;
            }

            _holder.AsSpan(entry.First, entry.Count).Fill(None);
            Pending += entry.Count;
            if (entry.Answer is not null)
            {
                Answered -= entry.Count;
                isUndone = true;
            }
        }

        return isUndone;
    }

    /// <summary>What a lease covers; only of leases given since the beginning.</summary>
    public (int First, int Count, LeafNode Node) Range(LeaseId lease)
    {
        var entry = Find(lease)!;
        return (entry.First, entry.Count, entry.Node);
    }

    /// <summary>When a lease was given, and whether as a copy of another.</summary>
    public (long GivenTicks, bool IsCopy) Giving(LeaseId lease)
    {
        var entry = Find(lease)!;
        return (entry.GivenTicks, entry.IsCopy);
    }

    /// <summary>Whether a copy of a lease is at another worker.</summary>
    public bool HasCopy(LeaseId lease) => Find(lease)!.Rival != None;

    /// <summary>Whether a worker has a lease that is not void.</summary>
    public bool Holds(WorkerId worker)
    {
        foreach (var entry in _entries)
        {
            if (entry.Worker == worker && !entry.IsVoid)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The units that no valid lease covers, ascending.</summary>
    public int[] PendingUnits()
    {
        var units = new int[Pending];
        var at = 0;
        for (var unit = 0; unit < Units; unit++)
        {
            if (_holder[unit] == None)
            {
                units[at++] = unit;
            }
        }

        return units;
    }

    /// <summary>Where the gradients of all leaves are, in leaf order.</summary>
    public ReductionSource[] Sources() => Sources(static entry => entry.Answer is GradientReady ready ? ready.Buffer : throw Invariant.Broken($"unit {entry.First} is answered"));

    /// <summary>Where they will be if every lease is answered, and no copy of one before it; once no unit is pending.</summary>
    public ReductionSource[] Expected() => Sources(static entry => new(entry.Lease, BufferLease.Any));

    /// <summary>What was answered for all units, in their order.</summary>
    public Payload Join()
    {
        _payloads.Clear();
        for (var unit = 0; unit < Units;)
        {
            var entry = LeasedAt(unit);
            Invariant.Holds(entry.Answer is not null, $"unit {unit} is answered");
            _payloads.Add(entry.Answer!.Payload);
            unit += entry.Count;
        }

        return Payload.Join(_payloads);
    }

    private ReductionSource[] Sources(Func<Entry, BufferLease> bufferOf)
    {
        var count = 0;
        for (var unit = 0; unit < Units; unit += LeasedAt(unit).Count)
        {
            count++;
        }

        var sources = new ReductionSource[count];
        var at = 0;
        for (var unit = 0; unit < Units;)
        {
            var entry = LeasedAt(unit);
            sources[at++] = new(entry.Node, entry.Worker, bufferOf(entry));
            unit += entry.Count;
        }

        return sources;
    }

    private Entry LeasedAt(int unit)
    {
        Invariant.Holds(_holder[unit] != None, $"unit {unit} is leased");
        var entry = _entries[_holder[unit]];
        Invariant.Holds(entry.First == unit, $"the lease on unit {unit} begins there");
        return entry;
    }

    private Entry? Find(LeaseId lease) => At(lease) is >= 0 and var at && at < _entries.Count ? _entries[at] : null;

    private int At(LeaseId lease) => (int)Math.Clamp(lease.Number - First.Number, None, int.MaxValue);

    /// <summary>A lease that was outrun.</summary>
    /// <param name="Lease">The lease.</param>
    /// <param name="Worker">Its worker.</param>
    /// <param name="IsCopy">Whether it is the second lease of the two.</param>
    public readonly record struct Loser(LeaseId Lease, WorkerId Worker, bool IsCopy);

    private sealed class Entry(LeaseId lease, WorkerId worker, int first, int count, LeafNode node)
    {
        public LeaseId Lease => lease;

        public WorkerId Worker => worker;

        public int First => first;

        public int Count => count;

        public LeafNode Node => node;

        public bool IsVoid { get; set; }

        /// <summary>Whether it is void because its copy, or what it is a copy of, was answered first.</summary>
        public bool IsOutrun { get; set; }

        public long GivenTicks { get; init; }

        /// <summary>Whether it was given beside another lease.</summary>
        public bool IsCopy { get; init; }

        /// <summary>Its copy, or what it is a copy of, while neither is answered or void.</summary>
        public int Rival { get; set; } = None;

        public LeaseAnswer? Answer { get; set; }
    }
}
