namespace Cllm.Model.Compute;

/// <summary>
/// Where the summed gradient of a node of the reduction tree is: leaves Index * 2^Level up to (Index + 1) * 2^Level, as far as there are
/// leaves.
/// </summary>
/// <param name="Level">Level of the node; 0 is a single leaf.</param>
/// <param name="Index">Position of the node in its level.</param>
/// <param name="Worker">The worker that holds it.</param>
/// <param name="Buffer">Number of the buffer there, for <see cref="IWorkerCompute.Buffer"/>.</param>
public readonly record struct GradientSource(int Level, int Index, IWorkerCompute Worker, int Buffer);
