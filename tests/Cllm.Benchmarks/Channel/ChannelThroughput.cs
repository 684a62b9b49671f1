using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cllm.Actors.Channel;
using Cllm.Numerics.Memory;

namespace Cllm.Benchmarks.Channel;

/// <summary>
/// Fetches over the tensor channel between two processes, beside a plain socket copy of the same bytes between the same two: over TCP, and
/// over the socket that the channel takes within a machine. With TLS a copy through the framework's TLS stream alone stands beside both.
/// One round of each after the other; times are medians of the rounds, processor time is their mean.
/// </summary>
internal static class ChannelThroughput
{
    private const string ServeWord = "channel-serve";

    private const string SecureKind = "-tls";

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
            Pair Open(string name, int place, EndPoint plain, EndPoint secure)
            {
                var tls = certificates?.Tls;
                var alone = tls is null ? null : new PlainCopy(secure, tls);
                return new(name, new(plain), alone, OpenLanes(places.AsSpan(place, 3), buffer, lanes, tls));
            }

            var pairs = new List<Pair> { Open("TCP", 0, IPEndPoint.Parse(places[6]), IPEndPoint.Parse(places[7])) };
            if (OperatingSystem.IsLinux())
            {
                var here = PlainCopy.EndPointHere(server.Id);
                pairs.Add(Open("the machine's own socket", 3, here, PlainCopy.EndPointHere(server.Id, SecureKind)));
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
        using var secure = PlainCopy.Serve(any, buffer, tls);
        using var plainHere = OperatingSystem.IsLinux() ? PlainCopy.Serve(PlainCopy.EndPointHere(Environment.ProcessId), buffer) : null;
        using var secureHere = OperatingSystem.IsLinux()
            ? PlainCopy.Serve(PlainCopy.EndPointHere(Environment.ProcessId, SecureKind), buffer, tls)
            : null;
        Console.WriteLine($"{Place(overTcp)} {Place(server)} {plain.LocalEndPoint} {secure.LocalEndPoint}");
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
                var alone = pair.TlsAlone is { } copy ? Cost.Of(server, () => copy.Receive(buffer)) : default;
                var channel = Cost.Of(server, () => TimedFetch.All(pair.Fetches));
                if (round >= 0)
                {
                    pair.Costs.Add((raw, alone, channel));
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
            Console.WriteLine($"  plain      {Line(pair.Costs.ConvertAll(cost => cost.Raw), gigabytes)}");
            if (pair.TlsAlone is not null)
            {
                Console.WriteLine($"  TLS alone  {Line(pair.Costs.ConvertAll(cost => cost.Alone), gigabytes)}");
            }

            Console.WriteLine(
                $"  channel    {Line(pair.Costs.ConvertAll(cost => cost.Channel), gigabytes)}, "
                + $"{OtherProcess.Median(pair.Costs.Select(cost => (double)cost.Channel.Allocated)):F0} bytes allocated");
            Console.WriteLine(
                $"  the channel reaches {Ratio(pair, cost => cost.Raw):F0} % of the plain copy"
                + (pair.TlsAlone is null ? "" : $" and {Ratio(pair, cost => cost.Alone):F0} % of TLS alone")
                + " (medians of the rounds' ratios)");
        }
    }

    private static double Ratio(Pair pair, Func<(Cost Raw, Cost Alone, Cost Channel), Cost> other) =>
        100 * OtherProcess.Median(pair.Costs.Select(cost => other(cost).Seconds / cost.Channel.Seconds));

    private static string Line(List<Cost> costs, double gigabytes) =>
        $"{gigabytes / OtherProcess.Median(costs.Select(cost => cost.Seconds)):F2} GB/s, "
        + $"{costs.Average(cost => cost.Processor) / gigabytes:F2} processor seconds a GB";

    /// <summary>Copies and lanes of the channel over the same kind of socket, and what each round of them cost.</summary>
    private sealed record Pair(string Name, PlainCopy Plain, PlainCopy? TlsAlone, TimedFetch[] Fetches) : IDisposable
    {
        public List<(Cost Raw, Cost Alone, Cost Channel)> Costs { get; } = [];

        public void Dispose()
        {
            Plain.Dispose();
            TlsAlone?.Dispose();
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
