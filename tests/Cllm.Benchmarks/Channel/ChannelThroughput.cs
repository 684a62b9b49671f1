using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cllm.Actors.Channel;
using Cllm.Numerics.Memory;

namespace Cllm.Benchmarks.Channel;

/// <summary>
/// Fetches over the tensor channel between two processes, beside a plain socket copy of the same bytes between the same two: over TCP, and
/// over the socket that the channel takes within a machine. One round of each after the other; times are medians of the rounds, processor
/// time is their mean.
/// </summary>
internal static class ChannelThroughput
{
    private const string ServeWord = "channel-serve";

    /// <summary>So many megabytes in all are fetched when the rounds are not given: short fetches need more of them.</summary>
    private const int MegabytesOfAllRounds = 2048;

    /// <summary>Runs it: <c>channel [--megabytes N] [--rounds R] [--lanes L] [--tls]</c>.</summary>
    public static int Run(string[] arguments)
    {
        var megabytes = OtherProcess.Option(arguments, "--megabytes", 256);
        var rounds = OtherProcess.Option(arguments, "--rounds", Math.Clamp(MegabytesOfAllRounds / megabytes, 7, 200));
        var lanes = OtherProcess.Option(arguments, "--lanes", 1);
        var floats = checked(megabytes * (1 << 20) / sizeof(float));
        using var certificates = arguments.Contains("--tls") ? new BenchmarkCertificates() : null;
        using var server = OtherProcess.Start(ServeWord, $"{floats}", certificates?.Folder ?? "");
        try
        {
            using var buffer = new AlignedBuffer(floats);
            var places = server.StandardOutput.ReadLine()!.Split(' ');
            Pair Open(string name, int place, EndPoint plain) =>
                new(name, new PlainCopy(plain), OpenLanes(places.AsSpan(place, 3), buffer, lanes, certificates?.Tls));
            var pairs = new List<Pair> { Open("TCP", 0, IPEndPoint.Parse(places[3])) };
            if (OperatingSystem.IsLinux())
            {
                pairs.Add(Open("the machine's own socket", 4, PlainCopy.EndPointHere(server.Id)));
            }

            Measure(server, pairs, buffer, rounds);
            Report(pairs, megabytes * (1 << 20) / 1e9, lanes);
            pairs.ForEach(static pair => pair.Dispose());
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
        var (store, any) = (new OneTensor(buffer), new IPEndPoint(IPAddress.Loopback, 0));
        using var overTcp = new TensorServer(any, store, new(1, "benchmark"), new() { HasMachineSocket = false }, tls);
        using var server = new TensorServer(any, store, new(1, "benchmark"), tls: tls);
        using var plain = PlainCopy.Serve(any, buffer);
        using var plainHere = OperatingSystem.IsLinux() ? PlainCopy.Serve(PlainCopy.EndPointHere(Environment.ProcessId), buffer) : null;
        Console.WriteLine($"{Place(overTcp)} {plain.LocalEndPoint} {Place(server)}");
        Console.In.ReadToEnd();
        return 0;

        static string Place(TensorServer server) => server.Address() is var at ? $"{at.Host} {at.Port} {at.Credential}" : "";
    }

    private static TimedFetch[] OpenLanes(ReadOnlySpan<string> place, AlignedBuffer buffer, int lanes, ChannelTls? tls)
    {
        var transport = new SocketTransport(new(2, "benchmark"), tls: tls);
        var address = new ChannelAddress(1, place[0], int.Parse(place[1]), place[2]);
        return [.. Enumerable.Range(0, lanes).Select(lane => new TimedFetch(transport.Open(address, lane), buffer, lane, lanes))];
    }

    private static void Measure(Process server, List<Pair> pairs, AlignedBuffer buffer, int rounds)
    {
        for (var round = -2; round < rounds; round++)
        {
            foreach (var pair in pairs)
            {
                var raw = Cost.Of(server, () => pair.Plain.Receive(buffer));
                var channel = Cost.Of(server, () => TimedFetch.All(pair.Fetches));
                if (round >= 0)
                {
                    pair.Costs.Add((raw, channel));
                }
            }
        }
    }

    private static void Report(List<Pair> pairs, double gigabytes, int lanes)
    {
        Console.WriteLine($"{gigabytes:F3} GB, {lanes} lane(s), median of {pairs[0].Costs.Count} rounds");
        foreach (var pair in pairs)
        {
            Console.WriteLine($"over {pair.Name}");
            Console.WriteLine($"  plain    {Line(pair.Costs.ConvertAll(cost => cost.Raw), gigabytes)}");
            Console.WriteLine(
                $"  channel  {Line(pair.Costs.ConvertAll(cost => cost.Channel), gigabytes)}, "
                + $"{OtherProcess.Median(pair.Costs.Select(cost => (double)cost.Channel.Allocated)):F0} bytes allocated");
            var ratio = OtherProcess.Median(pair.Costs.Select(cost => cost.Raw.Seconds / cost.Channel.Seconds));
            Console.WriteLine($"  the channel reaches {100 * ratio:F0} % of the plain copy (median of the rounds' ratios)");
        }
    }

    private static string Line(List<Cost> costs, double gigabytes) =>
        $"{gigabytes / OtherProcess.Median(costs.Select(cost => cost.Seconds)):F2} GB/s, "
        + $"{costs.Average(cost => cost.Processor) / gigabytes:F2} processor seconds a GB";

    /// <summary>A plain copy and lanes of the channel over the same kind of socket, and what each round of both cost.</summary>
    private sealed record Pair(string Name, PlainCopy Plain, TimedFetch[] Fetches) : IDisposable
    {
        public List<(Cost Raw, Cost Channel)> Costs { get; } = [];

        public void Dispose()
        {
            Plain.Dispose();
            Array.ForEach(Fetches, static fetch => fetch.Dispose());
        }
    }

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
}
