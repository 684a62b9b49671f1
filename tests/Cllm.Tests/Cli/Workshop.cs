using Cllm.Cli;

namespace Cllm.Tests.Cli;

/// <summary>A temporary folder with a small text, in which runs of a few milliseconds are trained.</summary>
public sealed class Workshop : IDisposable
{
    private static readonly (string Option, string Value)[] Tiny =
    [
        ("--tokenizer", "byte"), ("--layers", "1"), ("--width", "16"), ("--heads", "2"), ("--block", "8"), ("--batch", "4"),
        ("--steps", "12"),
        ("--workers", "2"), ("--threads-per-worker", "1"),
    ];

    public Workshop()
    {
        Folder = Directory.CreateTempSubdirectory("cllm-cli-").FullName;
        File.WriteAllText(Text, string.Concat(Enumerable.Range(0, 60).Select(i => $"The cat number {i % 7} sat on mat {i % 5}.\n")));
    }

    public string Folder { get; }

    public string Text => At("cats.txt");

    public string At(string name) => Path.Combine(Folder, name);

    /// <summary>Trains a tiny run in a subfolder.</summary>
    internal Said Train(string name, params string[] more) => Said.By(Line(name, more));

    /// <summary>Trains a tiny run and asks it to stop at a step; the word takes its way through the actors, so some more follow.</summary>
    internal Said TrainUntil(long step, string name, params string[] more)
    {
        using var stop = new CancellationTokenSource();
        var output = new StoppingWriter($"step {step} of ", stop);
        var error = new StringWriter();
        int code = CommandLine.Run(Line(name, more), output, error, stop.Token);
        return new Said(code, output.ToString(), error.ToString());
    }

    public string Digest(string name)
    {
        Said said = Said.By("digest", At(name));
        Assert.Equal(ExitCode.Success, said.Code);
        return said.Output.Split('\n')[0];
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private string[] Line(string name, string[] more) =>
    [
        "train", "--data", Text, "--out", At(name), .. more,
        .. Tiny.Where(tiny => !more.Contains(tiny.Option)).SelectMany(tiny => new[] { tiny.Option, tiny.Value }),
    ];

    private sealed class StoppingWriter(string sign, CancellationTokenSource stop) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            if (value?.StartsWith(sign, StringComparison.Ordinal) == true)
            {
                stop.Cancel();
            }
        }
    }
}
