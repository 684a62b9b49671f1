namespace Cllm.Simulation.Channel;

/// <summary>What a simulated channel is laid over: virtual time, and the links between machines.</summary>
internal interface IChannelWorld
{
    /// <summary>Has something done after so many ticks of 100 nanoseconds.</summary>
    void After(long ticks, Action then);

    /// <summary>Ticks that bytes take from one node to another; none while they do not pass.</summary>
    /// <param name="from">Number of the node that sends.</param>
    /// <param name="to">Number of the node that receives.</param>
    long? Passage(int from, int to);

    /// <summary>Bytes that arrive together, at most; gradients arrive in whole chunks.</summary>
    int ChunkBytesMax { get; }

    /// <summary>Whether the connection breaks at a chunk although bytes pass.</summary>
    bool Breaks();
}
