namespace Cllm.Actors.Door;

/// <summary>Every bound of a <see cref="NodeDoor"/>. Times in milliseconds.</summary>
internal sealed record DoorLimits
{
    /// <summary>Connections that have not shown yet that they are of a node. One more turns out whoever has been there longest.</summary>
    public int StrangersMax { get; init; } = 256;

    /// <summary>Of these, as many from one address.</summary>
    public int StrangersPerAddressMax { get; init; } = 128;

    /// <summary>Time a stranger has to show it, TLS included.</summary>
    public int HandshakeMilliseconds { get; init; } = 10_000;

    /// <summary>Connections of nodes: a node has one or two to each other, and one more is turned away.</summary>
    public int NodesMax { get; init; } = 4_096;

    /// <summary>Between two looks at who has been a stranger for too long.</summary>
    public int LookMilliseconds { get; init; } = 500;
}
