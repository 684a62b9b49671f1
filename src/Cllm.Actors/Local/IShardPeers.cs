using Akka.Actor;
using Cllm.Model.Compute;
using Cllm.Protocol;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Shards;

namespace Cllm.Actors.Local;

/// <summary>
/// What a shard's actor needs beside its arithmetic: the gradients that workers of this and other processes hold, and the way of its slice to and from other
/// processes. Used by the actor's thread; what ends elsewhere is told to the actor as a <see cref="ShardPeersMessage"/>.
/// </summary>
internal interface IShardPeers : IDisposable
{
    /// <summary>Whether the slice is being put back to a checkpoint: orders that need it, or change it, come again later.</summary>
    bool IsRestoring { get; }

    /// <summary>Begins to get gradients to where the shard can read them, for a reduction that is likely to need them. Nobody waits for it.</summary>
    void Expect(ExpectGradients work);

    /// <summary>Begins to get a reduction's gradients to where the shard can read them.</summary>
    /// <returns>Whether they are there; if not, <see cref="GradientsGathered"/> is told when they are.</returns>
    bool Gather(ReduceSlice work);

    /// <summary>Nobody waits for the gradients any more.</summary>
    void CancelGathering();

    /// <summary>The gradients of a reduction that was gathered.</summary>
    /// <exception cref="InvalidOperationException">A worker does not hold its gradient any more.</exception>
    ReadOnlySpan<GradientSource> Find(ReductionSource[] sources);

    /// <summary>Sends the slice to a node; the answer comes out of <see cref="Take"/>.</summary>
    void Send(SendSlice work);

    /// <summary>Takes what was told to the actor.</summary>
    /// <param name="message">The message.</param>
    /// <param name="sender">Who told it.</param>
    /// <returns>What the shard's machine is to be fed; none when nothing has ended.</returns>
    Input? Take(ShardPeersMessage message, IActorRef sender);
}

/// <summary>Something that a shard's peers told its actor.</summary>
internal abstract record ShardPeersMessage : INoSerializationVerificationNeeded;

/// <summary>The gradients of a reduction are at hand.</summary>
/// <param name="Work">The reduction.</param>
internal sealed record GradientsGathered(ReduceSlice Work) : INoSerializationVerificationNeeded;

/// <summary>In a run of one process all gradients are at hand, and no slice goes anywhere.</summary>
internal sealed class LocalPeers(GradientBoard board, int leaves) : IShardPeers
{
    private readonly GradientSource[] _sources = new GradientSource[leaves];

    public bool IsRestoring => false;

    public void Expect(ExpectGradients work)
    {
    }

    public bool Gather(ReduceSlice work) => true;

    public void CancelGathering()
    {
    }

    public ReadOnlySpan<GradientSource> Find(ReductionSource[] sources)
    {
        for (var i = 0; i < sources.Length; i++)
        {
            _sources[i] = board.Find(sources[i]);
        }

        return _sources.AsSpan(0, sources.Length);
    }

    public void Send(SendSlice work) => throw Invariant.Broken("there is no other process to send a slice to");

    public Input? Take(ShardPeersMessage message, IActorRef sender) => throw Invariant.Broken("there is no other process to hear of");

    public void Dispose()
    {
    }
}
