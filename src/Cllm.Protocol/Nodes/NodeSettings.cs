using Cllm.Protocol.Identity;

namespace Cllm.Protocol.Nodes;

/// <summary>What a node is made with.</summary>
public sealed record NodeSettings
{
    /// <summary>The node: a number that no other process has or had.</summary>
    public required NodeId Node { get; init; }

    /// <summary>What it was set up for.</summary>
    public required RunIdentity Run { get; init; }

    /// <summary>Time between two announcements, so that a lost message or a new coordinator is made up for. In units of 100 nanoseconds.</summary>
    public long AnnounceTicks { get; init; } = 5 * 10_000_000L;

    /// <summary>Announcements without an answer before the node says so; it goes on announcing at the same pace.</summary>
    public int SilenceMax { get; init; } = 3;
}
