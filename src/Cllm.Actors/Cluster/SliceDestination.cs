using Cllm.Actors.Channel;
using Cllm.Numerics.Memory;

namespace Cllm.Actors.Cluster;

/// <summary>
/// A slice within this process's state. It stands at its old step until the first byte of the new one comes, which with weights that are asked for ahead may be
/// long after they were asked for; from then on it is no step's.
/// </summary>
internal sealed class SliceDestination(SliceBoard slices, int shard, SliceParts parts, params AlignedBuffer[] sections) : ITensorDestination
{
    private readonly BufferDestination _vectors = new(0, sections);

    /// <summary>What of the slice is written.</summary>
    public SliceParts Parts => parts;

    public bool Fits(in TensorRequest request) => _vectors.Fits(request);

    public Span<byte> Chunk(in TensorRequest request, int section, long offset, int length)
    {
        if (section == 0 && offset == 0)
        {
            slices.Change(shard, parts);
        }

        return _vectors.Chunk(request, section, offset, length);
    }
}
