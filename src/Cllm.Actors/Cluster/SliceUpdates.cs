using System.Runtime.InteropServices;
using Cllm.Actors.Channel;
using Cllm.Model.Compute;
using Cllm.Model.Shape;
using Cllm.Numerics.Memory;

namespace Cllm.Actors.Cluster;

/// <summary>
/// What takes each shard's slice from one step to the next: its summed gradient, with the scalars of the step behind it. An owner keeps that of its newest
/// reduction and gives it out from the commit on; who holds a copy has it fetched to the same place, and gives it to nobody.
/// </summary>
/// <remarks>Read like slices: who reads compares versions, see <see cref="SliceBoard"/>.</remarks>
internal sealed class SliceUpdates(ParameterRange[] ranges) : IDisposable
{
    private const long None = -1;

    private const int ScalarFloats = TensorRequest.ScalarBytes / sizeof(float);

    private readonly object _gate = new();
    private readonly AlignedBuffer?[] _buffers = new AlignedBuffer?[ranges.Length];
    private readonly long[] _steps = Filled(ranges.Length);
    private readonly long[] _versions = new long[ranges.Length];

    /// <summary>Where a shard's update is: the gradient of its range, then the scalars. Allocated when it is first needed, and kept.</summary>
    public AlignedBuffer Of(int shard)
    {
        lock (_gate)
        {
            return _buffers[shard] ??= new(ranges[shard].Length + ScalarFloats);
        }
    }

    /// <summary>A shard's update is about to be written.</summary>
    public void Change(int shard)
    {
        lock (_gate)
        {
            _versions[shard]++;
            _steps[shard] = None;
        }
    }

    /// <summary>What a shard has reduced is committed: it leads on from a step.</summary>
    public void Stand(int shard, long step, in StepScalars scalars)
    {
        var words = MemoryMarshal.Cast<float, long>(Of(shard).Span[ranges[shard].Length..]);
        words[0] = BitConverter.DoubleToInt64Bits(scalars.Loss);
        words[1] = BitConverter.DoubleToInt64Bits(scalars.GradientNorm);
        words[2] = BitConverter.DoubleToInt64Bits(scalars.LearningRate);
        words[3] = BitConverter.SingleToInt32Bits(scalars.ClipScale);
        lock (_gate)
        {
            _steps[shard] = step;
        }
    }

    /// <summary>The scalars that were fetched with a gradient.</summary>
    public StepScalars ScalarsOf(int shard)
    {
        var words = MemoryMarshal.Cast<float, long>(Of(shard).Span[ranges[shard].Length..]);
        return new(
            BitConverter.Int64BitsToDouble(words[0]),
            BitConverter.Int64BitsToDouble(words[1]),
            BitConverter.Int64BitsToDouble(words[2]),
            BitConverter.Int32BitsToSingle((int)words[3]));
    }

    /// <summary>The step that an update leads on from, -1 while there is none to be given out, and the version to compare behind the reading.</summary>
    public (long Step, long Version) Look(int shard)
    {
        lock (_gate)
        {
            return (_steps[shard], _versions[shard]);
        }
    }

    /// <summary>Whether nothing was written to an update since a version was read.</summary>
    public bool IsAt(int shard, long version)
    {
        lock (_gate)
        {
            return _versions[shard] == version;
        }
    }

    public void Dispose()
    {
        foreach (var buffer in _buffers)
        {
            buffer?.Dispose();
        }
    }

    private static long[] Filled(int length)
    {
        var steps = new long[length];
        Array.Fill(steps, None);
        return steps;
    }
}
