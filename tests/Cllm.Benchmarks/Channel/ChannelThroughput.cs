using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cllm.Actors.Channel;
using Cllm.Numerics.Memory;
using Cllm.Protocol.Identity;

namespace Cllm.Benchmarks.Channel;

/// <summary>
/// Fetches over the tensor channel between two processes, beside a plain socket copy of the same bytes between the same two: one round of
/// each after the other, and the median of the rounds. Both sides of the plain copy use one call per 256 KiB on buffers as large as the
/// tensor.
/// </summary>
internal static class ChannelThroughput
{
    private const string ServeWord = "channel-serve";

    private const int PlainBytes = 256 * 1024;

    /// <summary>Runs it: <c>channel [--megabytes N] [--rounds R] [--lanes L] [--tls]</c>.</summary>
    public static int Run(string[] arguments)
    {
        var megabytes = Option(arguments, "--megabytes", 256);
        var (rounds, lanes) = (Option(arguments, "--rounds", 7), Option(arguments, "--lanes", 1));
        var floats = checked(megabytes * (1 << 20) / sizeof(float));
        using var certificates = arguments.Contains("--tls") ? new BenchmarkCertificates() : null;
        // Under `dotnet run` this process is the program itself; under `dotnet Cllm.Benchmarks.dll` it is the host, which is told the program.
        string[] program = Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet" ? [typeof(ChannelThroughput).Assembly.Location] : [];
        string[] order = [.. program, ServeWord, $"{floats}", certificates?.Folder ?? ""];
        using var server = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, order)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        try
        {
            var words = server.StandardOutput.ReadLine()!.Split(' ');
            var address = new ChannelAddress(1, "127.0.0.1", int.Parse(words[0]), words[1]);
            Measure(server, address, int.Parse(words[2]), floats, rounds, lanes, certificates?.Tls);
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
        var tls = arguments[2].Length > 0 ? BenchmarkCertificates.TlsFrom(arguments[2]) : null;
        using var server = new TensorServer(new(IPAddress.Loopback, 0), new OneTensor(buffer), new(1, "benchmark"), tls: tls);
        using var plain = new TcpListener(IPAddress.Loopback, 0);
        plain.Start();
        new Thread(() => ServePlain(plain, buffer)) { IsBackground = true }.Start();
        Console.WriteLine($"{server.EndPoint.Port} {server.Credential} {((IPEndPoint)plain.LocalEndpoint).Port}");
        Console.In.ReadToEnd();
        return 0;
    }

    private static void Measure(Process server, ChannelAddress address, int plainPort, int floats, int rounds, int lanes, ChannelTls? tls)
    {
        using var buffer = new AlignedBuffer(floats);
        using var plain = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        plain.Connect(new IPEndPoint(IPAddress.Loopback, plainPort));
        var transport = new SocketTransport(new(2, "benchmark"), tls: tls);
        Fetch[] fetches = [.. Enumerable.Range(0, lanes).Select(lane => new Fetch(transport.Open(address, lane), buffer, lane, lanes))];
        var (raw, channel) = (new Cost[rounds], new Cost[rounds]);
        Cost.Of(server, () => ReceivePlain(plain, buffer));
        Cost.Of(server, () => FetchAll(fetches));
        for (var round = 0; round < rounds; round++)
        {
            raw[round] = Cost.Of(server, () => ReceivePlain(plain, buffer));
            channel[round] = Cost.Of(server, () => FetchAll(fetches));
        }

        Array.ForEach(fetches, fetch => fetch.Dispose());
        Report(raw, channel, floats, lanes);
    }

    private static void Report(Cost[] raw, Cost[] channel, int floats, int lanes)
    {
        var gigabytes = floats * sizeof(float) / 1e9;
        var (rawSeconds, channelSeconds) = (Median(raw, cost => cost.Seconds), Median(channel, cost => cost.Seconds));
        var ratio = Median([.. raw.Zip(channel, (left, right) => new Cost(left.Seconds / right.Seconds, 0, 0))], cost => cost.Seconds);
        Console.WriteLine($"{gigabytes:F2} GB, {lanes} lane(s), median of {raw.Length} rounds");
        var (rawProcessor, channelProcessor) = (Median(raw, cost => cost.Processor), Median(channel, cost => cost.Processor));
        Console.WriteLine($"  plain socket {gigabytes / rawSeconds:F2} GB/s, {rawProcessor / gigabytes:F2} processor seconds a GB");
        Console.WriteLine(
            $"  channel      {gigabytes / channelSeconds:F2} GB/s, {channelProcessor / gigabytes:F2} processor seconds a GB, "
            + $"{Median(channel, cost => cost.Allocated):F0} bytes allocated");
        Console.WriteLine($"  the channel reaches {100 * ratio:F0} % of the plain socket (median of the rounds' ratios)");
    }

    private static double Median(Cost[] costs, Func<Cost, double> part) => costs.Select(part).Order().ElementAt(costs.Length / 2);

    private static void FetchAll(Fetch[] fetches)
    {
        Array.ForEach(fetches, static fetch => fetch.Begin());
        Array.ForEach(fetches, static fetch => fetch.End());
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

    /// <summary>What a round took: time, time of all processors in both processes, managed bytes allocated by the fetching one.</summary>
    private readonly record struct Cost(double Seconds, double Processor, long Allocated)
    {
        public static Cost Of(Process server, Action action)
        {
            var processor = ProcessorSeconds(server);
            var (before, began) = (GC.GetTotalAllocatedBytes(precise: true), Stopwatch.GetTimestamp());
            action();
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
            return new(seconds, ProcessorSeconds(server) - processor, allocated);
        }

        private static double ProcessorSeconds(Process server)
        {
            server.Refresh();
            return server.TotalProcessorTime.TotalSeconds + Environment.CpuUsage.TotalTime.TotalSeconds;
        }
    }

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
