namespace Cllm.Tests.Channel;

/// <summary>How many bytes a fuzz test spends, and from which seed: little in ./test, as much as wanted by ./fuzz.</summary>
internal sealed class FuzzBudget
{
    private const long BytesUsually = 300_000;

    private long _left;

    /// <summary>Begins to spend a part of the whole.</summary>
    /// <param name="part">The part.</param>
    public FuzzBudget(double part)
    {
        _left = (long)(Number("CLLM_FUZZ_BYTES", BytesUsually) * part);
        Seed = (int)Number("CLLM_FUZZ_SEED", 1);
        Random = new(Seed);
    }

    public int Seed { get; }

    public Random Random { get; }

    /// <summary>Whether there is something left after these bytes.</summary>
    public bool Spend(int bytes) => (_left -= bytes) > 0;

    private static long Number(string variable, long otherwise) =>
        long.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : otherwise;
}
