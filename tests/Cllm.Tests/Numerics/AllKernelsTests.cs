namespace Cllm.Tests.Numerics;

public sealed class AllKernelsTests
{
    /// <summary>
    /// Written down once, so that a machine with other vector units, another operating system or another version of the runtime that
    /// changed a bit would be noticed. Whoever changes an order of addition or a polynomial on purpose writes down the new digest.
    /// </summary>
    private const string RecordedDigest = "e0a3f9506e88a0a6440ec6413e75d5a53167b97e9436a6093b7f930b2b5eb021";

    [Fact]
    public void All_results_are_the_recorded_bits()
    {
        var digest = KernelDigest.Compute();
        Assert.True(digest == RecordedDigest, $"The digest is {digest}.");
    }

    [Fact]
    public void No_kernel_allocates()
    {
        var kernels = new AllKernels(77);
        var nothing = new IgnoringSink();
        kernels.Run(nothing);
        var before = GC.GetAllocatedBytesForCurrentThread();
        kernels.Run(nothing);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private sealed class IgnoringSink : IResultSink
    {
        public void Show(ReadOnlySpan<float> first, ReadOnlySpan<float> second, ReadOnlySpan<float> third)
        {
        }

        public void Show(ReadOnlySpan<float> floats, ReadOnlySpan<double> doubles)
        {
        }
    }
}
