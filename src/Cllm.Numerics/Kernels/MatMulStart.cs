namespace Cllm.Numerics.Kernels;

/// <summary>What the accumulator of each output element of a product holds before the first term is added.</summary>
public enum MatMulStart
{
    /// <summary>Zero: the destination is overwritten by the product.</summary>
    Zero,

    /// <summary>The bias of the element's column: the destination is overwritten by bias plus product.</summary>
    Bias,

    /// <summary>The present value of the destination: the product is added to it.</summary>
    Accumulate,
}
