using System.Runtime.InteropServices;
using Cllm.Actors.Channel;

namespace Cllm.Simulation.Channel;

/// <summary>Numbers of exactly one request, in an array for each of its sections.</summary>
internal sealed class ArrayDestination(int sections, int length) : ITensorDestination
{
    public float[][] Sections { get; } = [.. Enumerable.Range(0, sections).Select(_ => new float[length])];

    public bool Fits(in TensorRequest request) => request.Sections == Sections.Length && request.Length == length;

    public Span<byte> Chunk(in TensorRequest request, int section, long offset, int chunkLength) =>
        MemoryMarshal.AsBytes(Sections[section].AsSpan()).Slice((int)offset, chunkLength);
}
