using Cllm.Model.Run;
using Cllm.Tests.Files;

namespace Cllm.Tests.Processes;

/// <summary>A temporary folder with a small text, and the command lines of small runs in it.</summary>
internal sealed class TrainingFolder : IDisposable
{
    /// <summary>Sizes at which every kernel has a remainder.</summary>
    public static readonly string[] Odd =
    [
        "--tokenizer", "byte", "--layers", "1", "--width", "24", "--heads", "3", "--block", "13", "--batch", "5", "--leaves", "5",
        "--eval-every", "0",
    ];

    private readonly TemporaryFolder _folder = new();

    public TrainingFolder() =>
        File.WriteAllText(At("text.txt"), string.Concat(Enumerable.Range(0, 50).Select(i => $"Dog {i % 7} saw {i % 5} cats.\n")));

    public string At(string name) => _folder.At(name);

    /// <summary>The arguments of a new run in that subfolder.</summary>
    public string[] Begin(string run, params string[] more) => ["train", "--data", At("text.txt"), "--out", At(run), .. more];

    /// <summary>The arguments that go on with it.</summary>
    public string[] Resume(string run, params string[] more) => ["train", "--resume", "--out", At(run), .. more];

    /// <summary>Whether a run was begun there.</summary>
    public bool Holds(string run) => RunFolder.Holds(At(run));

    /// <summary>The metrics so far.</summary>
    public IReadOnlyList<StepMetrics> Metrics(string run) => MetricsReader.Read(At(run + "/metrics.jsonl"));

    /// <summary>The digest that a finished run put into its last line.</summary>
    public string Digest(string run) => Metrics(run)[^1].Digest!;

    /// <summary>The checkpoints that are there, newest first.</summary>
    public string[] Checkpoints(string run) =>
        !Directory.Exists(At(run + "/checkpoints")) ? [] :
        [.. Directory.GetDirectories(At(run + "/checkpoints"), "step-*").OrderByDescending(c => long.Parse(c[(c.LastIndexOf('-') + 1)..]))];

    public void Dispose() => _folder.Dispose();
}
