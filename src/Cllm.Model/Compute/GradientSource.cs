namespace Cllm.Model.Compute;

/// <summary>
/// Where the summed gradient of a node of the reduction tree is: leaves Index * 2^Level up to (Index + 1) * 2^Level, as far as there are
/// leaves.
/// </summary>
/// <param name="Level">Level of the node; 0 is a single leaf.</param>
/// <param name="Index">Position of the node in its level.</param>
/// <param name="Holder">Who holds it.</param>
/// <param name="Buffer">Number of the buffer there, for <see cref="IGradientHolder.Buffer"/>.</param>
/// <param name="Offset">Position in the flat vector of the buffer's first number: above 0 where only a part of the vector is held.</param>
public readonly record struct GradientSource(int Level, int Index, IGradientHolder Holder, int Buffer, int Offset = 0);

/// <summary>Holds summed gradients in buffers.</summary>
public interface IGradientHolder
{
    /// <summary>A buffer that is held: numbers of the flat vector. Read by the shards' threads, as far as nobody writes it any more.</summary>
    /// <param name="number">Its number.</param>
    ReadOnlySpan<float> Buffer(int number);
}
