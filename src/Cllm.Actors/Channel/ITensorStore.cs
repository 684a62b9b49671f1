namespace Cllm.Actors.Channel;

/// <summary>
/// What a node gives out. A channel makes one reader for each lane that is opened to it, when it is opened, and calls it from one thread
/// at a time.
/// </summary>
public interface ITensorStore
{
    /// <summary>Pulsed by the store, outside of its locks, whenever a request that was not ready might be ready or refused now.</summary>
    TensorSignal Changed { get; }

    /// <summary>A reader for one lane. What it needs is allocated here and used for all requests of the lane.</summary>
    ITensorReader CreateReader();
}

/// <summary>
/// Reads for one lane: Open, then Read for each chunk in order, then Close, request after request; disposed when the lane closes.
/// In the steady state none of them may allocate. An exception is answered as a refusal.
/// </summary>
public interface ITensorReader : IDisposable
{
    /// <summary>
    /// Begins a request, without blocking. After <see cref="OpeningState.NotYet"/> it is called again for the same request when the
    /// store's signal was pulsed, for as long as the request may wait. After <see cref="OpeningState.Ready"/> follow reads, and a close
    /// in any case.
    /// </summary>
    /// <param name="request">Well-formed, but from elsewhere: shard, step, range and sources are for the reader to check.</param>
    TensorOpening Open(in TensorRequest request);

    /// <summary>
    /// The bytes of a chunk: a span of live memory, which is hashed and sent from there, or the start of <paramref name="scratch"/>,
    /// filled.
    /// </summary>
    /// <param name="section">Section of the request, from 0.</param>
    /// <param name="offset">Bytes from the start of the section: a multiple of <see cref="TensorChunk.BytesMax"/>.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="scratch">At least that long, aligned to a cache line, the lane's own; none for what is neither gradient nor blob and is sent from where it is.</param>
    /// <returns>Exactly <paramref name="length"/> bytes, valid until the next call; or none, when they cannot be read any more.</returns>
    ReadOnlySpan<byte> Read(int section, long offset, int length, Span<byte> scratch);

    /// <summary>
    /// Ends the request, be it read to its end or not. What it returns after the last read decides whether the receiver may use what it
    /// got: a store that reads live memory without a lock checks here that nothing of it has changed since it was opened.
    /// </summary>
    TensorRefusal Close();
}

/// <summary>Whether a request can be read.</summary>
public enum OpeningState
{
    /// <summary>It can be read now.</summary>
    Ready,

    /// <summary>It may be there later.</summary>
    NotYet,

    /// <summary>It will not be given.</summary>
    Refused,
}

/// <summary>A reader's answer to a request.</summary>
/// <param name="State">Whether it can be read.</param>
/// <param name="Refusal">Why it is refused; None in the other states.</param>
public readonly record struct TensorOpening(OpeningState State, TensorRefusal Refusal)
{
    /// <summary>It can be read now.</summary>
    public static TensorOpening Ready => new(OpeningState.Ready, TensorRefusal.None);

    /// <summary>It may be there later.</summary>
    public static TensorOpening NotYet => new(OpeningState.NotYet, TensorRefusal.None);

    /// <summary>It will not be given.</summary>
    public static TensorOpening Refuse(RefusalReason reason, string sentence) => new(OpeningState.Refused, new(reason, sentence));
}
