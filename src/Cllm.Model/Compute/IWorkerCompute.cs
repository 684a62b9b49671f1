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
    /// <param name="settled">Hears, while the last leaf is computed, how much of the sum is final; nobody, when not given.</param>
    /// <returns>Number of the buffer that holds the sum, until <see cref="ReleaseBuffers"/>.</returns>
    int ComputeNode(long step, int level, int index, Span<double> leafLosses, GradientSettled? settled = null);

    /// <summary>All buffers handed out are free again.</summary>
    void ReleaseBuffers();

    /// <summary>Evaluates held-out units at the present weights.</summary>
    /// <param name="step">Updates made so far.</param>
    /// <param name="firstUnit">First unit.</param>
    /// <param name="units">Number of units.</param>
    /// <param name="unitLosses">Gets each unit's loss, summed over its tokens: (units).</param>
    void Evaluate(long step, int firstUnit, int units, Span<double> unitLosses);
}

/// <summary>
/// Hears that what a buffer holds is final from an offset of the flat vector on, to its end: nobody writes there any more until the buffer is released, and
/// whoever reads after this was called reads the sum. Called on the thread that computes, with ever lower offsets; it must be quick.
/// </summary>
/// <param name="buffer">Number of the buffer.</param>
/// <param name="offset">First number that is final.</param>
public delegate void GradientSettled(int buffer, int offset);
