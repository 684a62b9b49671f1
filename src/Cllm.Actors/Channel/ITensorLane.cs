namespace Cllm.Actors.Channel;

/// <summary>
/// Hears how a fetch ended. It is called once per fetch, on the lane's thread, which takes the next fetch when it returns.
/// </summary>
/// <param name="request">The request.</param>
/// <param name="result">How it ended.</param>
public delegate void FetchEnded(in TensorRequest request, in FetchResult result);

/// <summary>
/// A lane to one node: one fetch at a time, straight into the caller's memory. Fetches that must not wait for each other take a lane each.
/// </summary>
/// <remarks>
/// Each fetch ends exactly once. A lane opens its connection at the first fetch and again at the next fetch after it was lost; after
/// failures in a row the next attempt is put off a little longer each time. A fetch is not repeated behind the caller's back, save when a
/// connection that had been idle turns out to be closed.
/// </remarks>
public interface ITensorLane : IDisposable
{
    /// <summary>
    /// Begins a fetch and returns. <paramref name="ended"/> may be called before this returns, and may itself begin the next fetch, unless
    /// the one that ended was cancelled. On a disposed lane every fetch ends as cancelled.
    /// </summary>
    /// <param name="request">What to fetch.</param>
    /// <param name="destination">Where to. Its memory is the lane's until the fetch has ended.</param>
    /// <param name="ended">Hears how it ended; make the delegate once and use it again.</param>
    /// <exception cref="InvalidOperationException">A fetch is under way, or the destination is too small.</exception>
    void Fetch(in TensorRequest request, ITensorDestination destination, FetchEnded ended);

    /// <summary>
    /// Ends the fetch under way, if there is one, as cancelled. From any thread; the fetch has ended when its delegate was called.
    /// </summary>
    void Cancel();
}

/// <summary>Opens lanes to nodes.</summary>
public interface ITensorTransport
{
    /// <summary>A lane to a node; nothing is connected before the first fetch.</summary>
    /// <param name="peer">The node.</param>
    /// <param name="lane">
    /// The lane's number among the caller's lanes to that node, 0 to <see cref="LanesMax"/> - 1: when two connections say the same number,
    /// the older one is dead and is closed.
    /// </param>
    ITensorLane Open(ChannelAddress peer, int lane);

    /// <summary>Numbers that a node's lanes to another may have.</summary>
    const int LanesMax = 4096;
}
