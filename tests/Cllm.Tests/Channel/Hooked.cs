using Cllm.Actors.Channel;

namespace Cllm.Tests.Channel;

/// <summary>A destination that calls a function before each chunk, on the thread that receives.</summary>
internal sealed class Hooked(ITensorDestination inner, Action<long> before) : ITensorDestination
{
    public bool Fits(in TensorRequest request) => inner.Fits(request);

    public Span<byte> Chunk(in TensorRequest request, int section, long offset, int length)
    {
        before(offset);
        return inner.Chunk(request, section, offset, length);
    }
}

internal static class Hooks
{
    public static void CancelIf(this ITensorLane lane, bool condition)
    {
        if (condition)
        {
            lane.Cancel();
        }
    }
}
