namespace Cllm.Simulation.Engine;

/// <summary>Random numbers of one seed (SplitMix64): the only source of chance in a simulation, so a seed replays to the bit.</summary>
internal sealed class Dice(ulong seed)
{
    private ulong _state = seed;

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>From 0 up to, not including, a bound.</summary>
    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>From low to high, both included.</summary>
    public long Between(long low, long high) => low + (long)Math.BigMul(Next(), (ulong)(high - low + 1), out _);

    /// <summary>True once in 1 / chance times.</summary>
    public bool Chance(double chance) => chance > 0 && (Next() >> 11) * (1.0 / (1UL << 53)) < chance;
}
