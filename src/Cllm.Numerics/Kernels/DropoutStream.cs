namespace Cllm.Numerics.Kernels;

/// <summary>
/// Names the random masks of one dropout site in one step. Whether the number at (position, column) is kept is a pure function of
/// the seed, the step, the site, the position and the column, so forward and backward, any worker and any split agree.
/// </summary>
/// <param name="Seed">The run's seed.</param>
/// <param name="Step">The optimizer update the forward pass belongs to.</param>
/// <param name="Site">Which of the model's dropout places.</param>
/// <param name="Rate">Probability that a number is dropped, from 0 (nothing) to below 1.</param>
public readonly record struct DropoutStream(ulong Seed, ulong Step, uint Site, float Rate)
{
    /// <summary>
    /// Philox key of this step: the seed, exclusive-or the step sent through the bijective mix of SplitMix64 (Steele, Lea and Flood 2014).
    /// Within a run (one seed) different steps have different keys; site, position and column are words of the counter.
    /// </summary>
    internal ulong Key
    {
        get
        {
            var z = Step + 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return Seed ^ z ^ (z >> 31);
        }
    }

    /// <summary>A number is dropped when its random word is below this: Rate * 2^32.</summary>
    internal uint Threshold => (uint)((double)Rate * 4294967296.0);

    /// <summary>What kept numbers are multiplied by, so that the expectation stays: 1 / (1 - Rate).</summary>
    internal float KeepScale => 1f / (1f - Rate);
}
