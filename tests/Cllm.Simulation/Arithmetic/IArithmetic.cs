using Cllm.Model.Compute;
using Cllm.Model.Shape;
using Cllm.Protocol.Tree;

namespace Cllm.Simulation.Arithmetic;

/// <summary>What a simulated run computes with: the contract of the real program's host, and what a simulation does to its state beside.</summary>
internal interface IArithmetic : IDisposable
{
    /// <summary>Weights, workers, shards and checkpoints.</summary>
    IRunHost Host { get; }

    /// <summary>Grows whenever a weight changes.</summary>
    long Version { get; set; }

    /// <summary>Whether the weights changed during the computation that is about to end: its result is then no leaf's gradient.</summary>
    bool IsTorn { get; set; }

    /// <summary>What workers read from now on in place of the slices: the weights in their own process, one array for each shard; none is the slices again.</summary>
    void ComputeFrom(float[][]? weights);

    /// <summary>A shard's range of the flat vector.</summary>
    ParameterRange Range(int shard);

    /// <summary>Adds gradients up to a node of the tree, over a range of the flat vector.</summary>
    /// <param name="sources">Gradients that cover every leaf of the node once, in leaf order.</param>
    /// <param name="node">The node.</param>
    /// <param name="range">The range; its length is that of the sum.</param>
    /// <param name="sum">Gets the sum.</param>
    void AddUp(ReadOnlySpan<GradientSource> sources, LeafNode node, ParameterRange range, Span<float> sum);

    /// <summary>Weights, first and second moment of a copy that <see cref="Save"/> has made.</summary>
    float[][] Sections(object copy);

    /// <summary>The copy of which these are the sections.</summary>
    object Copy(float[][] sections);

    /// <summary>Digest over weights and optimizer state.</summary>
    ulong Digest();

    /// <summary>Overwrites a shard's slice with rubbish: its memory is lost, or its update broke off.</summary>
    void Spoil(int shard);

    /// <summary>A copy of a shard's slice of weights and optimizer state.</summary>
    object Save(int shard);

    /// <summary>Puts a copy in a slice's place.</summary>
    void Load(int shard, object copy);

    /// <summary>A slice was changed by other means than this interface.</summary>
    void Changed();
}
