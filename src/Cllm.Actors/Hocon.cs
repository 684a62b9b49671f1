using Akka.Configuration;
using Cllm.Actors.Bootstrap;
using Cllm.Actors.Cluster;
using Cllm.Model;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Nodes;

namespace Cllm.Actors;

/// <summary>
/// The configuration of the actor system: akka.hocon beside the program, over it another file, over that variables of the environment, and over those keys of the
/// command line.
/// </summary>
public static class Hocon
{
    /// <summary>Name of the file beside the program.</summary>
    public const string FileName = "akka.hocon";

    private const string Section = "cllm";
    private const string SeedNodesKey = "akka.cluster.seed-nodes";
    private const int ShownMax = 160;

    /// <summary>Reads the configuration, with the variables of this process.</summary>
    /// <param name="given">What a command line lays over it; nothing where there is none.</param>
    /// <exception cref="InputException">
    /// A file is missing, a file or a value is not HOCON, or a key of the cllm section does not exist or has no value that can be used.
    /// </exception>
    public static Config Load(HoconLayers? given = null) => Load(given?.Path, HoconKeys.Variables(), given?.Keys);

    /// <summary>The same with given variables.</summary>
    internal static Config Load(string? overPath, IEnumerable<(string Name, string Value)> variables, IReadOnlyList<string>? keys = null)
    {
        var own = Read(Path.Combine(AppContext.BaseDirectory, FileName));
        var layered = own;
        if (overPath is not null)
        {
            var over = Read(overPath);
            RefuseUnknown(over, own, overPath);
            layered = over.WithFallback(layered);
        }

        foreach (var (name, key, text) in HoconKeys.OfVariables(variables).Concat(HoconKeys.OfCommandLine(keys ?? [])))
        {
            var over = Parse(name, text);
            if (key.StartsWith(Section + ".", StringComparison.Ordinal) && !own.HasPath(key))
            {
                throw new InputException($"{Capital(name)} is for a key {key}, and there is no such key; see {FileName} for those there are.");
            }

            layered = over.WithFallback(layered);
        }

        RequireUsable(layered);
        return layered;
    }

    /// <summary>A coordinator's settings with the limits that the configuration names.</summary>
    /// <exception cref="InputException">A limit cannot be used.</exception>
    public static CoordinatorSettings Limit(this CoordinatorSettings settings, Config hocon) => settings with
    {
        PatienceTicks = Ticks(hocon, "cllm.patience"),
        RetriesMax = Count(hocon, "cllm.retries-max", 1),
        FailuresMax = Count(hocon, "cllm.failures-max", 0),
        LateTicksMin = Ticks(hocon, "cllm.late-min"),
        SettleTicks = Ticks(hocon, "cllm.settle"),
    };

    /// <summary>A node's settings with the pace that the configuration names.</summary>
    /// <exception cref="InputException">It cannot be used.</exception>
    public static NodeSettings Limit(this NodeSettings settings, Config hocon) => settings with { AnnounceTicks = Ticks(hocon, "cllm.announce") };

    /// <summary>How long a joining process tries to reach the run.</summary>
    /// <exception cref="InputException">The value is not a positive duration.</exception>
    public static TimeSpan JoinPatience(Config hocon) => TimeSpan.FromTicks(Ticks(hocon, "cllm.join-patience"));

    /// <summary>The port of the tensor channel; 0 is any free one.</summary>
    /// <exception cref="InputException">The value is no port.</exception>
    public static int ChannelPort(Config hocon) => Count(hocon, "cllm.channel-port", 0, ushort.MaxValue);

    /// <summary>Shards of a run that others can join.</summary>
    /// <exception cref="InputException">The value is not from 1 to the most there can be.</exception>
    public static int Shards(Config hocon) => Count(hocon, "cllm.shards", 1, ClusterSettings.ShardsMax);

    /// <summary>Nodes of a run, for a process that is told of none on its command line; may be none.</summary>
    /// <exception cref="InputException">One is no address.</exception>
    public static IReadOnlyList<NodeAddress> SeedNodes(Config hocon) =>
        [.. Value(SeedNodesKey, () => SeedTexts(hocon)).Select(NodeAddress.ParseSeed)];

    /// <summary>One alone is easily written without brackets, above all in a variable or on the command line, and then is no list to Akka.NET.</summary>
    private static IEnumerable<string> SeedTexts(Config hocon) => hocon.GetValue(SeedNodesKey) is { } value && value.IsString()
        ? value.GetString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
        : hocon.GetStringList(SeedNodesKey, []);

    /// <summary>Reads every value of ours: who uses one later, when a run's folder is there already, need not find out that it is wrong.</summary>
    private static void RequireUsable(Config hocon)
    {
        _ = new CoordinatorSettings { Leaves = 1, Steps = 1, Shards = 1, WorkersToStart = 1 }.Limit(hocon);
        _ = new NodeSettings { Node = default, Run = new("", "", 0) }.Limit(hocon);
        _ = JoinPatience(hocon);
        _ = ChannelPort(hocon);
        _ = Shards(hocon);
        _ = SeedNodes(hocon);
    }

    private static long Ticks(Config hocon, string key)
    {
        var ticks = Value(key, () => hocon.GetTimeSpan(key, allowInfinite: false).Ticks);
        return ticks > 0 ? ticks : throw new InputException(
            $"{key} in the actor configuration is not above zero; give a duration such as 60s.");
    }

    private static int Count(Config hocon, string key, int least, int most = int.MaxValue)
    {
        var count = Value(key, () => hocon.GetInt(key));
        var range = most == int.MaxValue ? $"from {least} on" : $"from {least} to {most}";
        return count >= least && count <= most ? count : throw new InputException(
            $"{key} in the actor configuration is {count}; give a number {range}.");
    }

    /// <summary>A key of ours that is misspelt would be ignored in silence; those of Akka.NET are its own to know.</summary>
    private static void RefuseUnknown(Config over, Config own, string path)
    {
        foreach (string key in Keys(over))
        {
            if (!own.HasPath(key))
            {
                throw new InputException($"The actor configuration {path} sets {key}, and there is no such key; see {FileName} for those there are.");
            }
        }
    }

    private static IEnumerable<string> Keys(Config config)
    {
        var section = config.GetConfig(Section);
        if (section is null || !section.Root.IsObject())
        {
            return [];
        }

        // A dispatcher has settings of Akka.NET's within it.
        return section.Root.GetObject().Items.Keys.Select(key => $"{Section}.{key}");
    }

    private static T Value<T>(string key, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception failure) when (failure is FormatException or OverflowException or ConfigurationException)
        {
            throw new InputException($"{key} in the actor configuration cannot be read ({Shown(failure)}); give a value like that in {FileName}.", failure);
        }
    }

    /// <summary>The parser's messages quote the text they stopped at, to its end and with all its signs.</summary>
    private static string Shown(Exception failure)
    {
        string[] words = failure.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        string line = string.Concat(string.Join(' ', words).Select(sign => char.IsControl(sign) ? '?' : sign)).TrimEnd('.');
        return line.Length <= ShownMax ? line : line[..ShownMax] + "…";
    }

    private static Config Read(string path)
    {
        try
        {
            return Parse($"the actor configuration {path}", File.ReadAllText(path));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new InputException(
                $"The actor configuration {path} cannot be read ({Shown(failure)}); give a file that exists and is readable.", failure);
        }
    }

    private static string Capital(string what) => $"{char.ToUpperInvariant(what[0])}{what[1..]}";

    private static Config Parse(string what, string text)
    {
        try
        {
            return ConfigurationFactory.ParseString(text);
        }
        catch (Exception failure) when (failure is FormatException or ConfigurationException)
        {
            throw new InputException($"{Capital(what)} is not valid HOCON ({Shown(failure)}); correct it.", failure);
        }
    }
}
