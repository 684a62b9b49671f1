using System.Net;
using Cllm.Actors.Channel;

namespace Cllm.Tests.Channel;

/// <summary>One node that serves and one that fetches, over sockets or within the process.</summary>
internal abstract class ChannelUnderTest : IDisposable
{
    public const string Run = "a run";

    public abstract ChannelAddress Address { get; }

    public abstract ITensorTransport Transport { get; }

    /// <summary>The serving node is no more.</summary>
    public abstract void Stop();

    public void Dispose() => Stop();
}

internal sealed class LocalChannel : ChannelUnderTest
{
    private readonly LocalTransport _transport = new();

    public LocalChannel(ITensorStore store) => _transport.Serve(Address, store);

    public override ChannelAddress Address { get; } = new(1, "one", 1, ChannelCredential.Draw());

    public override ITensorTransport Transport => _transport;

    public override void Stop() => _transport.Stop(Address);
}

internal sealed class SocketChannel : ChannelUnderTest
{
    private readonly TensorServer _server;

    /// <summary>The usual limits, without the machine's own socket.</summary>
    public static ChannelLimits OverTcp { get; } = new() { HasMachineSocket = false };

    public SocketChannel(
        ITensorStore store, ChannelLimits? limits = null, ChannelTls? serverTls = null, ChannelTls? clientTls = null,
        Action<string>? note = null)
    {
        _server = new(new IPEndPoint(IPAddress.Loopback, 0), store, new(1, Run), limits, serverTls, Counters, note);
        Transport = new SocketTransport(new(2, Run), limits, clientTls, Counters);
    }

    public ChannelCounters Counters { get; } = new();

    public TensorServer Server => _server;

    public override ChannelAddress Address => _server.Address();

    public override ITensorTransport Transport { get; }

    public override void Stop() => _server.Dispose();
}
