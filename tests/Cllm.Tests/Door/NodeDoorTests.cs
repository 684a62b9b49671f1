using System.Net;
using System.Net.Sockets;
using System.Text;
using Cllm.Actors.Door;

namespace Cllm.Tests.Door;

/// <summary>Over real sockets on this machine, with a listener in the place of the actor system.</summary>
public sealed class NodeDoorTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TcpListener _inside = new(IPAddress.Loopback, 0);
    private readonly List<string> _notes = [];
    private readonly List<Socket> _sockets = [];

    public NodeDoorTests() => _inside.Start();

    public void Dispose()
    {
        _sockets.ForEach(socket => socket.Dispose());
        _inside.Dispose();
    }

    [Fact]
    public async Task Bytes_go_both_ways_and_an_end_is_passed_on()
    {
        using NodeDoor door = Open(new());
        (Socket node, Socket inside) = await GreetAsync(door, "hello");
        byte[] much = new byte[3_000_000];
        Random.Shared.NextBytes(much);
        Task sending = inside.SendAsync(much).WaitAsync(Patience);
        Assert.Equal(much, await HearAsync(node, much.Length));
        await sending;
        node.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await inside.ReceiveAsync(new byte[1]).WaitAsync(Patience));
        await SayAsync(inside, "bye");
        inside.Shutdown(SocketShutdown.Send);
        Assert.Equal("bye", await HearAsync(node));
        Assert.Equal(0, await node.ReceiveAsync(new byte[1]).WaitAsync(Patience));
    }

    [Fact]
    public async Task Who_is_killed_is_gone_inside_at_once()
    {
        using NodeDoor door = Open(new());
        (Socket node, Socket inside) = await GreetAsync(door, "hello");
        node.LingerState = new(enable: true, seconds: 0);
        node.Dispose();
        Assert.True(await IsClosedAsync(inside));
    }

    [Fact]
    public async Task An_address_that_the_machine_lacks_is_passed_over_as_long_as_it_has_another()
    {
        // 192.0.2.1 is nobody's (RFC 5737), as ::1 is where IPv6 is switched off and localhost still stands for it.
        IPAddress lacking = IPAddress.Parse("192.0.2.1");
        using NodeDoor door = NodeDoor.Listen([lacking, IPAddress.Loopback], 0, note: null);
        door.Open((IPEndPoint)_inside.LocalEndpoint);
        await NodeAsync(door);
        var nowhere = Assert.Throws<SocketException>(() => NodeDoor.Listen([lacking], 0, note: null));
        Assert.Equal(SocketError.AddressNotAvailable, nowhere.SocketErrorCode);
    }

    [Fact]
    public async Task A_crowd_that_says_nothing_is_bounded_and_keeps_no_node_out()
    {
        using NodeDoor door = Open(new() { StrangersMax = 20, StrangersPerAddressMax = 20 });
        (Socket node, Socket inside) = await NodeAsync(door);
        var crowd = new List<Socket>();
        for (var i = 0; i < 100; i++)
        {
            crowd.Add(await CallAsync(door));
        }

        // All but the last ones are turned out, the node is not; another one comes in.
        foreach (Socket stranger in crowd.Take(80))
        {
            Assert.True(await IsClosedAsync(stranger));
        }

        await SayAsync(node, "still here");
        Assert.Equal("still here", await HearAsync(inside));
        await NodeAsync(door);
        Assert.StartsWith($"A connection from 127.0.0.1 to port {door.Port} was turned away: too many", _notes[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_does_not_show_in_time_that_he_is_of_a_node_is_turned_out_and_a_node_stays()
    {
        using NodeDoor door = Open(new() { HandshakeMilliseconds = 300, LookMilliseconds = 20 });
        (Socket node, Socket inside) = await NodeAsync(door);
        Socket silent = await CallAsync(door);
        Socket garbage = await CallAsync(door);
        await SayAsync(garbage, "GET / HTTP/1.1\r\n\r\n");
        Assert.True(await IsClosedAsync(silent));
        Assert.True(await IsClosedAsync(garbage));
        await SayAsync(node, "still here");
        Assert.Equal("still here", await HearAsync(inside));
        Assert.Contains("it did not show within 300 ms that it is of a node", _notes[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nodes_are_bounded_too()
    {
        using NodeDoor door = Open(new() { NodesMax = 2, StrangersMax = 0, StrangersPerAddressMax = 1_000 });
        await NodeAsync(door);
        await NodeAsync(door);
        Assert.True(await IsClosedAsync(await CallAsync(door)));
        Assert.EndsWith("too many nodes are connected.", Assert.Single(_notes), StringComparison.Ordinal);
    }

    [Fact]
    public void A_port_that_is_taken_is_refused() =>
        Assert.Equal(SocketError.AddressAlreadyInUse, Assert.Throws<SocketException>(() => NodeDoor.Listen("127.0.0.1", ((IPEndPoint)_inside.LocalEndpoint).Port, null)).SocketErrorCode);

    [Fact]
    public async Task A_closed_door_takes_everybody_along()
    {
        NodeDoor door = Open(new());
        (Socket node, Socket inside) = await NodeAsync(door);
        int port = door.Port;
        door.Dispose();
        Assert.True(await IsClosedAsync(node));
        Assert.True(await IsClosedAsync(inside));
        await Assert.ThrowsAsync<SocketException>(() => CallAsync(port));
    }

    private NodeDoor Open(DoorLimits limits)
    {
        NodeDoor door = NodeDoor.Listen("127.0.0.1", 0, Note, limits);
        door.Open((IPEndPoint)_inside.LocalEndpoint);
        return door;
    }

    private void Note(string sentence)
    {
        lock (_notes)
        {
            _notes.Add(sentence);
        }
    }

    private Task<Socket> CallAsync(NodeDoor door) => CallAsync(door.Port);

    private async Task<Socket> CallAsync(int port)
    {
        var caller = new Socket(SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(caller);
        await caller.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port)).WaitAsync(Patience);
        return caller;
    }

    /// <summary>Somebody whose first words were heard inside.</summary>
    private async Task<(Socket Node, Socket Inside)> GreetAsync(NodeDoor door, string words)
    {
        Socket node = await CallAsync(door);
        await SayAsync(node, words);
        Socket inside = await _inside.AcceptSocketAsync().WaitAsync(Patience);
        _sockets.Add(inside);
        Assert.Equal(words, await HearAsync(inside));
        return (node, inside);
    }

    /// <summary>Somebody who has been answered twice.</summary>
    private async Task<(Socket Node, Socket Inside)> NodeAsync(NodeDoor door)
    {
        (Socket node, Socket inside) = await GreetAsync(door, "who");
        for (var i = 0; i < 2; i++)
        {
            await SayAsync(inside, "you");
            Assert.Equal("you", await HearAsync(node));
            await SayAsync(node, "who");
            Assert.Equal("who", await HearAsync(inside));
        }

        return (node, inside);
    }

    private static async Task SayAsync(Socket socket, string text) => await socket.SendAsync(Encoding.ASCII.GetBytes(text));

    private static async Task<string> HearAsync(Socket socket)
    {
        byte[] heard = new byte[100];
        return Encoding.ASCII.GetString(heard, 0, await socket.ReceiveAsync(heard).WaitAsync(Patience));
    }

    private static async Task<byte[]> HearAsync(Socket socket, int bytes)
    {
        byte[] heard = new byte[bytes];
        await using var stream = new NetworkStream(socket);
        await stream.ReadExactlyAsync(heard).AsTask().WaitAsync(Patience);
        return heard;
    }

    private static async Task<bool> IsClosedAsync(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1]).WaitAsync(Patience) == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
