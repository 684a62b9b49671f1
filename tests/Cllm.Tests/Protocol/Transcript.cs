using System.Globalization;
using System.Runtime.CompilerServices;
using Cllm.Protocol;
using Cllm.Protocol.Coordination;
using Cllm.Protocol.Nodes;
using Cllm.Protocol.Shards;
using Cllm.Protocol.Workers;

namespace Cllm.Tests.Protocol;

/// <summary>
/// A machine's inputs and effects in a text file. A line beginning with <c>#</c> is a remark, <c>coordinator</c>, <c>worker</c>, <c>shard</c> or <c>node</c> makes the
/// machine, <c>at</c> sets the time, <c>&gt;</c> is an input and <c>&lt;</c> an effect of the input above it.
/// </summary>
internal sealed class Transcript
{
    private Transcript(string name, string[] lines) => (Name, Lines) = (name, lines);

    public string Name { get; }

    public string[] Lines { get; }

    public static IEnumerable<string> Names() =>
        Directory.GetFiles(Folder(), "*.txt").Select(path => Path.GetFileNameWithoutExtension(path)!).Order(StringComparer.Ordinal);

    public static Transcript Load(string name) => new(name, File.ReadAllLines(Path.Combine(Folder(), name + ".txt")));

    /// <summary>The lines as they would stand if the effects were those that the machine gives.</summary>
    public string[] Replay()
    {
        IMachine? machine = null;
        var effects = new EffectList();
        var nowTicks = 0L;
        var replayed = new List<string>();
        foreach (var line in Lines.Where(line => !line.StartsWith('<')))
        {
            replayed.Add(line);
            var words = TranscriptText.Words(line);
            switch (words.FirstOrDefault())
            {
                case null or "#":
                    break;
                case "at":
                    nowTicks = long.Parse(words[1], CultureInfo.InvariantCulture);
                    break;
                case ">":
                    effects.Clear();
                    machine!.Handle(nowTicks, TranscriptText.ReadInput(line[2..]), effects);
                    replayed.AddRange(effects.Effects.ToArray().Select(effect => "< " + TranscriptText.Write(effect)));
                    break;
                default:
                    machine = Make(words);
                    break;
            }
        }

        return [.. replayed];
    }

    /// <summary>
    /// Replaces the file's effects by those that the machine gives; for use after a change that was meant, and to be read before it is
    /// kept.
    /// </summary>
    public void Accept() => File.WriteAllLines(Path.Combine(Folder(), Name + ".txt"), Replay());

    public static IMachine Make(List<string> words) => words[0] switch
    {
        "coordinator" => new Coordinator(TranscriptText.ReadSettings(
            new CoordinatorSettings { Leaves = 4, Steps = 1, Shards = 1, WorkersToStart = 1 }, words.Skip(1))),
        "worker" => new Worker(TranscriptText.ReadSettings(new WorkerSettings { Worker = new(0), Incarnation = new(1) }, words.Skip(1))),
        "node" => new Node(TranscriptText.ReadSettings(new NodeSettings { Node = new(0), Run = new("c0", "t0", 1) }, words.Skip(1))),
        "shard" => new Shard(TranscriptText.ReadSettings(
            new ShardSettings { Shard = new(0), Incarnation = new(1), Slice = new(0) }, words.Skip(1))),
        _ => throw new FormatException($"no machine {words[0]}"),
    };

    private static string Folder([CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, "Transcripts");
}
