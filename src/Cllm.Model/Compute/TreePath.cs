using System.Diagnostics;
using Cllm.Numerics.Kernels;
using Cllm.Numerics.Memory;
using Cllm.Numerics.Parallel;

namespace Cllm.Model.Compute;

/// <summary>
/// The way of a leaf's gradient up the reduction tree: it is added to the sums that wait for it, lowest first, one range of the vector after another while the
/// backward pass goes on, so that ranges at the vector's end are final long before those at its start. Each number is added in the order of the tree.
/// </summary>
/// <param name="buffers">The worker's gradient buffers; numbers are positions in it.</param>
internal sealed class TreePath(List<AlignedBuffer> buffers)
{
    private const int Chunk = TreeSum.Chunk;

    /// <summary>Sums of left children whose right sibling is not computed yet, the lowest on top.</summary>
    private readonly Stack<int> _waiting = new();

    /// <summary>The leaf's own buffer, then the sums that it is added to, upwards. The last one holds the result.</summary>
    private readonly List<int> _path = [];

    private GradientSettled? _settled;

    /// <summary>Time that the leaf's additions took on the first thread, in units of <see cref="Stopwatch"/>.</summary>
    public long AddingTicks { get; private set; }

    /// <summary>A leaf is about to be computed.</summary>
    /// <param name="leaf">The leaf; those of a node come in ascending order.</param>
    /// <param name="leaves">L, leaves of the run.</param>
    /// <param name="topLevel">Level of the node at which the way ends.</param>
    /// <param name="buffer">Where the leaf's gradient goes.</param>
    /// <param name="settled">Hears what is final of the sum at the way's end.</param>
    public void Begin(int leaf, int leaves, int topLevel, int buffer, GradientSettled? settled)
    {
        (_settled, AddingTicks) = (settled, 0);
        _path.Clear();
        _path.Add(buffer);
        for (int level = 0, index = leaf; level < topLevel; level++, index >>= 1)
        {
            if ((index & 1) == 1)
            {
                _path.Add(_waiting.Pop());
            }
            else if ((index + 1) << level < leaves)
            {
                return;
            }
        }
    }

    /// <summary>The leaf's gradient is final from an offset on. Called by every member of the team, behind a barrier.</summary>
    /// <param name="team">The team that computes it.</param>
    /// <param name="member">Who calls.</param>
    /// <param name="offset">First number that is final.</param>
    /// <param name="end">The number behind the last one that was not before.</param>
    public void Settle(ThreadTeam team, int member, int offset, int end)
    {
        if (_path.Count > 1)
        {
            long began = Stopwatch.GetTimestamp();
            (int first, int count) = team.Part(member, end - offset, 16);
            Add(offset + first, offset + first + count);
            if (member == 0)
            {
                AddingTicks += Stopwatch.GetTimestamp() - began;
            }
        }

        if (_settled is not null)
        {
            team.Barrier();
            if (member == 0)
            {
                _settled(_path[^1], offset);
            }
        }
    }

    /// <summary>The leaf is done.</summary>
    /// <param name="free">Gets the buffers that are not needed any more.</param>
    public void End(Stack<int> free)
    {
        _waiting.Push(_path[^1]);
        for (int i = _path.Count - 2; i >= 0; i--)
        {
            free.Push(_path[i]);
        }
    }

    /// <summary>Takes the sum of a node whose last leaf is done.</summary>
    /// <returns>Its buffer.</returns>
    public int TakeSum() => _waiting.Pop();

    /// <summary>A few numbers at a time all the way up, so that each sum is in the cache when it is added to the next.</summary>
    private void Add(int first, int end)
    {
        for (int at = first; at < end; at += Chunk)
        {
            int count = Math.Min(Chunk, end - at);
            for (int i = 1; i < _path.Count; i++)
            {
                Span<float> sum = buffers[_path[i]].Span.Slice(at, count);
                GradientTree.Add(sum, buffers[_path[i - 1]].Span.Slice(at, count), sum);
            }
        }
    }
}
