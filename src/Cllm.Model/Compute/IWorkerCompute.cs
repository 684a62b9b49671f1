namespace Cllm.Model.Compute;

/// <summary>
/// A worker's arithmetic: gradients of leaves, in buffers of its own. Called by one thread at a time, but for <see cref="IGradientHolder.Buffer"/>.
/// </summary>
public interface IWorkerCompute : IGradientHolder, IDisposable
{
    /// <summary>Computes the gradient of each of a node's leaves at the present weights, and adds them in tree order.</summary>
    /// <param name="step">Updates made so far: the step whose rows are used, from 0.</param>
    /// <param name="level">Level of the node.</param>
    /// <param name="index">Position of the node in its level.</param>
    /// <param name="leafLosses">Gets each leaf's loss, summed over its tokens: (leaves of the node).</param>
    /// <returns>Number of the buffer that holds the sum, until <see cref="ReleaseBuffers"/>.</returns>
    int ComputeNode(long step, int level, int index, Span<double> leafLosses);

    /// <summary>All buffers handed out are free again.</summary>
    void ReleaseBuffers();

    /// <summary>Evaluates held-out units at the present weights.</summary>
    /// <param name="step">Updates made so far.</param>
    /// <param name="firstUnit">First unit.</param>
    /// <param name="units">Number of units.</param>
    /// <param name="unitLosses">Gets each unit's loss, summed over its tokens: (units).</param>
    void Evaluate(long step, int firstUnit, int units, Span<double> unitLosses);
}
