namespace Cllm.Model.Shape;

/// <summary>One named tensor in the flat parameter vector.</summary>
/// <param name="Name">The name Hugging Face's GPT-2 gives it, without the "transformer." prefix.</param>
/// <param name="Offset">Index of its first number in the flat vector; a multiple of 16, so that it starts on a cache line.</param>
/// <param name="Dimensions">Its shape; Linear weights are Conv1D, that is [in, out].</param>
public sealed record TensorSpec(string Name, int Offset, IReadOnlyList<int> Dimensions)
{
    /// <summary>How many numbers it holds.</summary>
    public int Length { get; } = Dimensions.Aggregate(1, (product, d) => checked(product * d));

    /// <summary>Whether weight decay applies: to tensors of two or more dimensions.</summary>
    public bool Decays => Dimensions.Count >= 2;
}
