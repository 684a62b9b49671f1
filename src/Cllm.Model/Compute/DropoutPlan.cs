using Cllm.Numerics.Kernels;

namespace Cllm.Model.Compute;

/// <summary>Where a model drops out, and with which random stream. A mask is a pure function of seed, step, site and position.</summary>
internal readonly record struct DropoutPlan(ulong Seed, long Step, float Rate)
{
    private const uint SitesPerLayer = 3;

    /// <summary>No dropout: evaluation, generation, and training at rate 0.</summary>
    public static DropoutPlan None => default;

    public bool Active => Rate > 0;

    public DropoutStream Embedding => At(0);

    public DropoutStream Attention(int layer) => At(1 + ((uint)layer * SitesPerLayer));

    public DropoutStream AttentionBranch(int layer) => At(2 + ((uint)layer * SitesPerLayer));

    public DropoutStream MlpBranch(int layer) => At(3 + ((uint)layer * SitesPerLayer));

    private DropoutStream At(uint site) => new(Seed, (ulong)Step, site, Rate);
}
