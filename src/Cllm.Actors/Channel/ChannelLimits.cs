namespace Cllm.Actors.Channel;

/// <summary>Every bound of the channel. Times in milliseconds.</summary>
public sealed record ChannelLimits
{
    /// <summary>Strangers that have connected and not yet said who they are. One more turns out whoever has waited longest.</summary>
    public int StrangersMax { get; init; } = 256;

    /// <summary>Of these, as many from one address.</summary>
    public int StrangersPerAddressMax { get; init; } = 128;

    /// <summary>Time a stranger has to say who it is, TLS included.</summary>
    public int HandshakeMilliseconds { get; init; } = 5_000;

    /// <summary>
    /// Lanes that a node serves at a time; each has a thread. Each other node has one for every shard that it fetches weights of or gradients for, so this bounds
    /// how large a cluster can be.
    /// </summary>
    public int LanesMax { get; init; } = 4_096;

    /// <summary>Time without a byte after which the other side is taken for dead, during a fetch.</summary>
    public int SilenceMilliseconds { get; init; } = 10_000;

    /// <summary>How often a side that lets the other wait says that it is alive; well below the silence.</summary>
    public int AliveMilliseconds { get; init; } = 1_000;

    /// <summary>Time to connect and be let in.</summary>
    public int ConnectMilliseconds { get; init; } = 5_000;

    /// <summary>Pause before the second attempt to connect after failures; it doubles.</summary>
    public int BackoffMillisecondsMin { get; init; } = 50;

    /// <summary>Longest pause before an attempt to connect.</summary>
    public int BackoffMillisecondsMax { get; init; } = 2_000;

    /// <summary>
    /// Bytes of each socket's send and receive buffer; 0 is 1 MiB within a machine and else leaves them to the system, which on Linux sizes
    /// them by the path's delay.
    /// </summary>
    public int SocketBufferBytes { get; init; }

    /// <summary>
    /// Whether a server at a loopback address also has a door for callers of its own machine that leads past the network, where the system
    /// has such a thing.
    /// </summary>
    public bool HasMachineSocket { get; init; } = true;
}
