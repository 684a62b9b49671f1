using System.Security.Cryptography;
using Cllm.Protocol.Identity;

namespace Cllm.Actors.Cluster;

/// <summary>How nodes and their workers are numbered: nobody hands numbers out, so no coordinator has to remember them.</summary>
public static class NodeNumbers
{
    /// <summary>Workers of one node. Its workers' numbers follow each other, so a node is leased neighbouring leaves and can add them up itself.</summary>
    public const int WorkersMax = 64;

    private const int Bits = 25;

    /// <summary>A number for this process, drawn at random: among a hundred nodes two draw the same once in ten thousand runs, and the second then draws again.</summary>
    public static NodeId Draw() => new(RandomNumberGenerator.GetInt32(1 << Bits));

    /// <summary>Number of a node's first worker.</summary>
    public static int FirstWorker(NodeId node) => node.Number * WorkersMax;

    /// <summary>The node that a worker is on.</summary>
    public static NodeId NodeOf(WorkerId worker) => new(worker.Number / WorkersMax);
}
