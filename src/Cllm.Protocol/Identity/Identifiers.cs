namespace Cllm.Protocol.Identity;

/// <summary>
/// Number of an attempt. It grows whenever orders already given stop being valid, and fences the answers to them. Never a pass over data.
/// </summary>
/// <param name="Number">1 for a run's first epoch; 0 before it; below 2^31.</param>
public readonly record struct Epoch(long Number)
{
    /// <summary>Epochs that one coordinator of a cluster has at most.</summary>
    public const int PerCoordinatorMax = 1 << CountBits;

    internal const int Bits = 31;

    private const int CountBits = 16;

    /// <summary>The epoch after this one.</summary>
    public Epoch Next => new(Number + 1);

    /// <summary>
    /// The first epoch of a cluster's coordinator: above all epochs of the coordinators with lower numbers, and no two coordinators ever share one, though they
    /// know nothing of each other.
    /// </summary>
    /// <param name="coordinator">From 0 to 32,767: higher for each successor, as is the number under which its node became a member.</param>
    /// <exception cref="InvalidOperationException">There are no epochs for that number.</exception>
    public static Epoch FirstOf(int coordinator)
    {
        Invariant.Holds(coordinator >= 0 && coordinator < 1 << (Bits - CountBits), $"a run has at most {1 << (Bits - CountBits)} coordinators, and not number {coordinator}");
        return new(((long)coordinator << CountBits) + 1);
    }

    /// <summary>The number.</summary>
    public override string ToString() => Number.ToString();
}

/// <summary>
/// A position in the run: the state after <paramref name="Number"/> optimizer updates, and the update made from there.
/// Step 0 starts from the initial weights; a checkpoint at step n has n updates in it and goes on with step n.
/// </summary>
/// <param name="Number">Updates committed before it.</param>
public readonly record struct Step(long Number)
{
    /// <summary>The step after this one.</summary>
    public Step Next => new(Number + 1);

    /// <summary>The number.</summary>
    public override string ToString() => Number.ToString();
}

/// <summary>A worker: computes leaves into gradient buffers of its own.</summary>
/// <param name="Number">0 and up.</param>
public readonly record struct WorkerId(int Number)
{
    /// <summary>The number.</summary>
    public override string ToString() => Number.ToString();
}

/// <summary>A node: a process with workers and shards, which are lost with it.</summary>
/// <param name="Number">0 and up.</param>
public readonly record struct NodeId(int Number)
{
    /// <summary>The number.</summary>
    public override string ToString() => Number.ToString();
}

/// <summary>A shard: a contiguous range of the flat parameter vector with its optimizer state.</summary>
/// <param name="Number">0 up to, not including, the run's shards.</param>
public readonly record struct ShardIndex(int Number)
{
    /// <summary>The number.</summary>
    public override string ToString() => Number.ToString();
}

/// <summary>How often a worker or shard has been started: what an earlier incarnation held in memory is gone.</summary>
/// <remarks>
/// A shard that a coordinator gives to a node carries the epoch in which it did, how often it had done so before in that epoch, and the starts there. No two
/// coordinators share an epoch, so none of their incarnations of a shard are ever the same, and those of a later epoch are above all earlier ones.
/// </remarks>
/// <param name="Number">Starts in the lower 20 bits, moves within the epoch in the 12 above them, the epoch in the 31 above those; 1 for the first start of what was never moved.</param>
public readonly record struct Incarnation(long Number)
{
    private const int StartBits = 20;
    private const int MoveBits = 12;
    private const int MovesMax = (1 << MoveBits) - 1;

    /// <summary>The one after this one.</summary>
    public Incarnation Next
    {
        get
        {
            Invariant.Holds((Number & StartsMax) < StartsMax, $"nothing is started more than {StartsMax} times at one place");
            return new(Number + 1);
        }
    }

    /// <summary>The epoch in which it was given to its node; 0 when it was there from the beginning.</summary>
    internal Epoch MovedIn => new(Number >> (StartBits + MoveBits));

    private static long StartsMax => (1L << StartBits) - 1;

    private int Moves => (int)(Number >> StartBits) & MovesMax;

    /// <summary>Below the first incarnation at a shard's next owner, and above all that the owners before it can start.</summary>
    /// <param name="epoch">The epoch in which it is given away: no earlier one than that of any move before it.</param>
    internal Incarnation Moved(Epoch epoch)
    {
        Invariant.Holds(epoch.Number >= MovedIn.Number && epoch.Number < 1L << Epoch.Bits, $"what was moved in epoch {MovedIn} is moved on no earlier, and not in epoch {epoch}");
        Invariant.Holds(epoch != MovedIn || Moves < MovesMax, $"a shard is given away {MovesMax} times in one epoch at most");
        return new(epoch == MovedIn ? ((Number >> StartBits) + 1) << StartBits : epoch.Number << (StartBits + MoveBits));
    }

    /// <summary>Whether so many moves are left in an epoch that they are enough until the next step boundary.</summary>
    internal bool HasMovesLeft(Epoch epoch) => epoch != MovedIn || Moves < MovesMax / 2;

    /// <summary>The number; as in <c>2.1</c> for the first start after the first move of epoch 2, and <c>2+3.1</c> after three more.</summary>
    public override string ToString() => MovedIn.Number == 0 ? Number.ToString()
        : Moves == 0 ? $"{MovedIn}.{Number & StartsMax}" : $"{MovedIn}+{Moves}.{Number & StartsMax}";
}

/// <summary>
/// A lease: one order to compute, given to one worker. Leases grow within a run: those of a coordinator begin with the epoch it began in.
/// </summary>
/// <param name="Number">The coordinator's first epoch in the upper 32 bits, a count from 1 in the lower ones.</param>
public readonly record struct LeaseId(long Number)
{
    private const int CountBits = 32;

    /// <summary>The lease after this one.</summary>
    public LeaseId Next => new(Number + 1);

    /// <summary>The first lease of a coordinator: above all of its predecessors'.</summary>
    /// <param name="epoch">The coordinator's first epoch.</param>
    /// <exception cref="InvalidOperationException">The epoch is no epoch.</exception>
    public static LeaseId FirstOf(Epoch epoch)
    {
        Invariant.Holds(epoch.Number >= 0 && epoch.Number < 1L << Epoch.Bits, $"no epoch has the number {epoch}");
        return new((epoch.Number << CountBits) + 1);
    }

    /// <summary>As in <c>1.17</c>: the 17th lease of the coordinator that began in epoch 1.</summary>
    public override string ToString() => $"{Number >> CountBits}.{Number & uint.MaxValue}";
}

/// <summary>
/// Names a gradient buffer at a worker, held for a lease until it is released. Gradients travel outside of messages, under this name.
/// </summary>
/// <param name="Lease">The lease whose gradient is in it; a buffer held for another lease is not this one.</param>
/// <param name="Number">The buffer's number at its worker.</param>
public readonly record struct BufferLease(LeaseId Lease, int Number)
{
    /// <summary>In place of a number: whichever buffer it will be, which only the worker knows before it has answered the lease.</summary>
    public const int Any = -1;

    /// <summary>As in <c>3@17</c>: buffer 3, held for lease 17; <c>?@17</c> for whichever buffer.</summary>
    public override string ToString() => Number == Any ? $"?@{Lease}" : $"{Number}@{Lease}";
}
