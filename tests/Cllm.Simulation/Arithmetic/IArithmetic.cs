using Cllm.Model.Compute;

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

    /// <summary>All slices stand at a step: nodes hold copies of its weights, and compute it from them whatever becomes of a slice. Not said in a single process.</summary>
    void Publish(long step);

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
