using System.Diagnostics;
using System.Globalization;
using Cllm.Simulation;
using Cllm.Simulation.Faults;
using Cllm.Simulation.Scaling;

var seed = 1UL;
var count = 100L;
int? nodes = null;
int? workers = null;
var isRealModel = false;
var isMild = false;
var isTracing = false;
var isScaling = false;
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--real-model":
            isRealModel = true;
            break;
        case "--mild":
            isMild = true;
            break;
        case "--trace":
            isTracing = true;
            break;
        case "--scaling":
            isScaling = true;
            break;
        case "--seed" or "--count" or "--nodes" or "--workers" when i + 1 < args.Length && ulong.TryParse(args[i + 1], out var number):
            if (args[i] is "--nodes" or "--workers" && number is < 1 or > 64)
            {
                Console.Error.WriteLine($"simulate: {args[i]} takes a number from 1 to 64, not {number}.");
                return 2;
            }

            seed = args[i] == "--seed" ? number : seed;
            count = args[i] == "--count" ? (long)number : count;
            nodes = args[i] == "--nodes" ? (int)number : nodes;
            workers = args[i] == "--workers" ? (int)number : workers;
            i++;
            break;
        default:
            var isHelp = args[i] is "--help" or "-h";
            (isHelp ? Console.Out : Console.Error).WriteLine("""
                Usage: ./simulate [--seed S] [--count N] [--real-model] [--nodes N] [--workers W] [--mild] [--trace]
                Runs N seeds from S on (100 from 1), each a cluster with its own faults in virtual time. Exit 0 only if no seed broke a rule.
                --mild leaves out the harsh kinds of fault: long pauses, clocks that jump, processes that die together or at the worst moment.
                       ./simulate --scaling [--seed S]
                Compares the step times that docs/scaling.md computes with runs of up to 512 nodes without faults. Exit 0 only if all are within 15 %.
                """);
            return isHelp ? 0 : 2;
    }
}

if (isScaling)
{
    return ScalingComparison.Print(Console.Out, seed) ? 0 : 1;
}

var options = string.Concat(
    isRealModel ? " --real-model" : "",
    isMild ? " --mild" : "",
    nodes is { } n ? $" --nodes {n}" : "",
    workers is { } w ? $" --workers {w}" : "");
var counts = new long[Scenario.Kinds];
var watch = Stopwatch.StartNew();
var shown = TimeSpan.Zero;
long ticks = 0, events = 0, violations = 0, done = 0;
for (; done < count; done++)
{
    var scenario = Scenario.Draw(seed + (ulong)done, isRealModel, nodes, workers, isMild);
    var outcome = Simulation.Run(scenario, isTracing ? Console.WriteLine : null);
    (ticks, events) = (ticks + outcome.Ticks, events + outcome.Events);
    for (var kind = 0; kind < counts.Length; kind++)
    {
        counts[kind] += outcome.Counts[kind];
    }

    if (outcome.Violation is { } violation)
    {
        violations++;
        Console.WriteLine($"seed {scenario.Seed}: {violation}");
        Console.WriteLine($"  replay: ./simulate --seed {scenario.Seed} --count 1{options} --trace");
    }

    if (watch.Elapsed - shown > TimeSpan.FromSeconds(10))
    {
        shown = watch.Elapsed;
        Console.Error.WriteLine($"{done + 1} of {count} seeds, {violations} violations, {shown.TotalSeconds:F0} s");
    }
}

var faults = string.Join(", ", Enum.GetValues<FaultKind>().Where(kind => counts[(int)kind] > 0).Select(kind => $"{kind} {counts[(int)kind]}"));
var rate = ticks / (double)Scenario.Second / watch.Elapsed.TotalSeconds;
Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $"{count} seeds from {seed}, faults: {(faults.Length > 0 ? faults : "none")}; {ticks / Scenario.Second} simulated seconds, {rate:F0} per real second, {events / watch.Elapsed.TotalSeconds:F0} events/s; {violations} violations"));
return violations == 0 ? 0 : 1;
