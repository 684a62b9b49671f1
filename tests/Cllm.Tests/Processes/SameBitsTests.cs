namespace Cllm.Tests.Processes;

/// <summary>One digest for every processor that a run may meet, every spread over workers and threads, and every repetition.</summary>
[Collection("Processes")]
public sealed class SameBitsTests : IDisposable
{
    private static readonly string[] Small =
    [
        "--tokenizer", "byte", "--layers", "2", "--width", "32", "--heads", "4", "--block", "16", "--batch", "8", "--leaves", "8",
        "--eval-every", "25", "--steps", "50",
    ];

    private static readonly string[] Tiny = [.. TrainingFolder.Odd, "--steps", "50"];

    private readonly TrainingFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Narrower_vectors_change_no_bit() => AreEqual(
        Digest("default", Small, []),
        Digest("again", Small, []),
        Digest("256 bits", Small, [("DOTNET_PreferredVectorBitWidth", "256")]),
        Digest("no AVX-512", Small, [("DOTNET_EnableAVX512", "0")]));

    [Fact]
    public void Processors_without_AVX_or_any_vectors_change_no_bit() => AreEqual(
        Digest("default", Tiny, []),
        Digest("no AVX2", Tiny, [("DOTNET_EnableAVX2", "0")]),
        Digest("no AVX", Tiny, [("DOTNET_EnableAVX", "0")]),
        Digest("no intrinsics", Tiny, [("DOTNET_EnableHWIntrinsic", "0")]));

    [Fact]
    public void Workers_and_threads_change_no_bit() => AreEqual(
        Digest("1", Small, [], "--workers", "1", "--threads-per-worker", "1"),
        Digest("1 of 2", Small, [], "--workers", "1", "--threads-per-worker", "2"),
        Digest("2", Small, [], "--workers", "2", "--threads-per-worker", "1"),
        Digest("2 of 2", Small, [], "--workers", "2", "--threads-per-worker", "2"),
        Digest("3", Small, [], "--workers", "3", "--threads-per-worker", "1"),
        Digest("5 of 2", Small, [], "--workers", "5", "--threads-per-worker", "2"),
        Digest("8", Small, [], "--workers", "8", "--threads-per-worker", "1"));

    private static void AreEqual(params (string Name, string Digest)[] runs) =>
        Assert.All(runs, run => Assert.Equal((run.Name, runs[0].Digest), run));

    private (string Name, string Digest) Digest(string name, string[] shape, (string Name, string Value)[] environment, params string[] more)
    {
        using var child = Child.Start(environment, _folder.Begin(name, [.. shape, .. more]));
        child.Wait().Well();
        return (name, _folder.Digest(name));
    }
}
