using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;

namespace Cllm.Simulation.Arithmetic;

/// <summary>What a simulated process computes with: the contract of the real program's host, and what a simulation does to its state beside.</summary>
internal interface IArithmetic : INodeHost, IDisposable
{
    /// <summary>Whether the weights changed during the computation that is about to end: its result is then no leaf's gradient.</summary>
    bool IsTorn { get; set; }

    /// <summary>Begins to copy a checkpoint of another process of the run.</summary>
    CheckpointCopy? BeginCopy(long step, byte[] state);

    /// <summary>Digest over weights and optimizer state.</summary>
    ulong Digest();

    /// <summary>Overwrites a shard's slice with rubbish: its update broke off.</summary>
    void Spoil(int shard);
}
