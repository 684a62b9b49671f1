namespace Cllm.Model.Compute;

/// <summary>What a run is made of besides the protocol: its weights and optimizer state, its data, its checkpoints.</summary>
/// <remarks>
/// Called by the coordinator's thread, but for the Create methods (the thread of the worker or shard) and <see cref="WriteSnapshot"/> (a
/// thread of its own).
/// </remarks>
public interface IRunHost
{
    /// <summary>Units of held-out data that an evaluation is cut into; 0 is no evaluation.</summary>
    int EvaluationUnits { get; }

    /// <summary>How many shards the parameters are cut into when so many are wanted: at least 1. No bit depends on it.</summary>
    int Shards(int wanted);

    /// <summary>Makes a worker's arithmetic; again after a failure, when the failed one has been disposed.</summary>
    /// <param name="worker">Number of the worker, from 0.</param>
    IWorkerCompute CreateWorker(int worker);

    /// <summary>Makes a shard's arithmetic over weights and optimizer state that live in this host; again after a failure.</summary>
    /// <param name="shard">Number of the shard, from 0.</param>
    /// <param name="shards">Number of shards.</param>
    IShardCompute CreateShard(int shard, int shards);

    /// <summary>Makes a step's scalars.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="leafLosses">Summed loss of each leaf, in leaf order.</param>
    /// <param name="blockNorms">Squared norm of each block, in the order of the flat vector.</param>
    StepScalars Combine(long step, ReadOnlySpan<double> leafLosses, ReadOnlySpan<double> blockNorms);

    /// <summary>Makes the loss of an evaluation.</summary>
    /// <param name="step">Updates made so far.</param>
    /// <param name="unitLosses">Summed loss of each unit, in unit order.</param>
    double CombineEvaluation(long step, ReadOnlySpan<double> unitLosses);

    /// <summary>Copies weights and optimizer state, so that training can go on while the copy is written.</summary>
    /// <param name="step">Updates made so far.</param>
    void TakeSnapshot(long step);

    /// <summary>Writes the copy as a checkpoint.</summary>
    /// <param name="step">Updates made when the copy was taken.</param>
    /// <returns>Digest of the weights, hexadecimal.</returns>
    /// <exception cref="Exception">It could not be written; the message says why. The run goes on.</exception>
    string WriteSnapshot(long step);

    /// <summary>Brings weights and optimizer state back to the newest checkpoint, or to the initial state.</summary>
    /// <returns>Updates made at that state.</returns>
    long Restore();
}
