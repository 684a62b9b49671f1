using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cllm.Actors.Channel;
using Cllm.Numerics.Memory;
using Cllm.Protocol.Identity;

namespace Cllm.Benchmarks.Channel;

/// <summary>
/// Fetches over the tensor channel between two processes, beside a plain socket copy of the same bytes between the same two: one round of each after the
/// other, and the median of the rounds. Both sides of the plain copy use one call per 256 KiB on buffers as large as the tensor.
/// </summary>
internal static class ChannelThroughput
{
    private const string ServeWord = "channel-serve";

    private const int PlainBytes = 256 * 1024;

    /// <summary>Runs it: <c>channel [--megabytes N] [--rounds R] [--lanes L]</c>.</summary>
    public static int Run(string[] arguments)
    {
        var (megabytes, rounds, lanes) = (Option(arguments, "--megabytes", 256), Option(arguments, "--rounds", 7), Option(arguments, "--lanes", 1));
        var floats = checked(megabytes * (1 << 20) / sizeof(float));
        using var server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [typeof(ChannelThroughput).Assembly.Location, ServeWord, $"{floats}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        try
        {
            var words = server.StandardOutput.ReadLine()!.Split(' ');
            Measure(new(1, "127.0.0.1", int.Parse(words[0]), words[1]), int.Parse(words[2]), floats, rounds, lanes);
            return 0;
        }
        finally
        {
            server.StandardInput.Close();
            server.WaitForExit();
        }
    }

    /// <summary>The other process: serves until its input ends.</summary>
    public static int Serve(string[] arguments)
    {
        using var buffer = new AlignedBuffer(int.Parse(arguments[1]));
        buffer.Span.Fill(1.5f);
        using var server = new TensorServer(new(IPAddress.Loopback, 0), new OneTensor(buffer), new(1, "benchmark"));
        using var plain = new TcpListener(IPAddress.Loopback, 0);
        plain.Start();
        new Thread(() => ServePlain(plain, buffer)) { IsBackground = true }.Start();
        Console.WriteLine($"{server.EndPoint.Port} {server.Credential} {((IPEndPoint)plain.LocalEndpoint).Port}");
        Console.In.ReadToEnd();
        return 0;
    }

    private static void Measure(ChannelAddress address, int plainPort, int floats, int rounds, int laneCount)
    {
        using var buffer = new AlignedBuffer(floats);
        using var plain = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        plain.Connect(new IPEndPoint(IPAddress.Loopback, plainPort));
        var transport = new SocketTransport(new(2, "benchmark"));
        var fetches = Enumerable.Range(0, laneCount).Select(lane => new Fetch(transport.Open(address, lane), buffer, lane, laneCount)).ToArray();
        double[] raw = new double[rounds], channel = new double[rounds], ratio = new double[rounds];
        long allocated = 0;
        for (var round = -1; round < rounds; round++)
        {
            var plainSeconds = Seconds(() => ReceivePlain(plain, buffer));
            var before = GC.GetTotalAllocatedBytes(precise: true);
            var channelSeconds = Seconds(() => FetchAll(fetches));
            if (round >= 0)
            {
                allocated += GC.GetTotalAllocatedBytes(precise: true) - before;
                (raw[round], channel[round], ratio[round]) = (plainSeconds, channelSeconds, plainSeconds / channelSeconds);
            }
        }

        Array.ForEach(fetches, fetch => fetch.Dispose());
        Array.Sort(raw);
        Array.Sort(channel);
        Array.Sort(ratio);
        double bytes = (double)floats * sizeof(float), rawRate = bytes / raw[rounds / 2] / 1e9, channelRate = bytes / channel[rounds / 2] / 1e9;
        Console.WriteLine($"{bytes / (1 << 20):F0} MiB, {laneCount} lane(s), median of {rounds}: plain socket {rawRate:F2} GB/s, channel {channelRate:F2} GB/s = "
            + $"{100 * channelRate / rawRate:F0} % (median of each round's {100 * ratio[rounds / 2]:F0} %), {allocated / rounds} bytes allocated a round");
    }

    private static void FetchAll(Fetch[] fetches)
    {
        Array.ForEach(fetches, static fetch => fetch.Begin());
        Array.ForEach(fetches, static fetch => fetch.End());
    }

    private static double Seconds(Action action)
    {
        var began = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    private static void ReceivePlain(Socket socket, AlignedBuffer buffer)
    {
        socket.Send([1]);
        for (var rest = MemoryMarshal.AsBytes(buffer.Span); !rest.IsEmpty;)
        {
            rest = rest[socket.Receive(rest[..Math.Min(rest.Length, PlainBytes)])..];
        }
    }

    private static void ServePlain(TcpListener listener, AlignedBuffer buffer)
    {
        using var socket = listener.AcceptSocket();
        socket.NoDelay = true;
        var order = new byte[1];
        while (socket.Receive(order) == 1)
        {
            for (var rest = MemoryMarshal.AsBytes(buffer.Span); !rest.IsEmpty;)
            {
                rest = rest[socket.Send(rest[..Math.Min(rest.Length, PlainBytes)])..];
            }
        }
    }

    private static int Option(string[] arguments, string name, int otherwise) =>
        Array.IndexOf(arguments, name) is >= 0 and var at && at + 1 < arguments.Length ? int.Parse(arguments[at + 1]) : otherwise;

    private sealed class Fetch : IDisposable
    {
        private readonly ITensorLane _lane;
        private readonly BufferDestination _destination;
        private readonly TensorRequest _request;
        private readonly SemaphoreSlim _done = new(0);
        private readonly FetchEnded _ended;
        private FetchResult _result;

        public Fetch(ITensorLane lane, AlignedBuffer buffer, int number, int count)
        {
            _lane = lane;
            _destination = new(0, buffer);
            long start = (long)buffer.Length * number / count, end = (long)buffer.Length * (number + 1) / count;
            _request = TensorRequest.Weights(default, default, new(0), start, end - start, 0);
            _ended = (in TensorRequest request, in FetchResult result) =>
            {
                _result = result;
                _done.Release();
            };
        }

        public void Begin() => _lane.Fetch(_request, _destination, _ended);

        public void End()
        {
            _done.Wait();
            if (_result.Outcome != FetchOutcome.Done)
            {
                throw new InvalidOperationException(_result.Sentence);
            }
        }

        public void Dispose() => _lane.Dispose();
    }
}
