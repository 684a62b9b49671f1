namespace Cllm.Protocol.Identity;

/// <summary>
/// Number of an attempt. It grows whenever orders already given stop being valid, and fences the answers to them. Never a pass over data.
/// </summary>
/// <param name="Number">1 for a run's first epoch; 0 before it.</param>
public readonly record struct Epoch(long Number)
{
    /// <summary>The epoch after this one.</summary>
    public Epoch Next => new(Number + 1);

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
/// <param name="Number">1 for the first start. For a shard, how often it was given to another node stands in the upper 32 bits.</param>
public readonly record struct Incarnation(long Number)
{
    private const int StartBits = 32;

    /// <summary>The one after this one.</summary>
    public Incarnation Next => new(Number + 1);

    /// <summary>Below the first incarnation at a shard's next owner, and above all that the owners before it can start.</summary>
    /// <param name="epoch">The epoch in which it is given away.</param>
    internal Incarnation Moved(Epoch epoch) => new(Math.Max(epoch.Number, (Number >> StartBits) + 1) << StartBits);

    /// <summary>The number; as in <c>2.1</c> for the first start at the owner of number 2.</summary>
    public override string ToString() => Number >> StartBits is var owner and > 0 ? $"{owner}.{Number & uint.MaxValue}" : Number.ToString();
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
    public static LeaseId FirstOf(Epoch epoch) => new((epoch.Number << CountBits) + 1);

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
    /// <summary>As in <c>3@17</c>: buffer 3, held for lease 17.</summary>
    public override string ToString() => $"{Number}@{Lease}";
}
