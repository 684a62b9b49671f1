using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Tree;

namespace Cllm.Actors.Channel;

/// <summary>What is fetched.</summary>
public enum TensorKind : byte
{
    /// <summary>A node's sum of the gradient of one node of the reduction tree, over a range of the flat parameter vector.</summary>
    Gradient = 1,

    /// <summary>A range of the weights at a step.</summary>
    Weights = 2,

    /// <summary>A range of the weights, the first and the second moment at a step: three sections, one after another.</summary>
    State = 3,

    /// <summary>A range of a numbered sequence of bytes, such as the run's token ids.</summary>
    Blob = 4,

    /// <summary>A range of the first and the second moment at a step: two sections, one after another.</summary>
    Moments = 5,

    /// <summary>What takes a shard's state from a step to the next one: the gradient summed over all leaves, and the scalars of the step behind it.</summary>
    Update = 6,
}

/// <summary>
/// Names exactly one thing to fetch and how long it is. Made by one of the functions below, which check it.
/// </summary>
/// <remarks>
/// Steps and epochs are those of the protocol; the answering side repeats them in every frame and the asking side compares.
/// </remarks>
public readonly record struct TensorRequest
{
    private TensorRequest(TensorKind kind, Epoch epoch, Step step, int number, long offset, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch.Number);
        ArgumentOutOfRangeException.ThrowIfNegative(step.Number);
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, LengthMax);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, LengthMax);
        (Kind, Epoch, Step, Number, Offset, Length) = (kind, epoch, step, number, offset, length);
    }

    /// <summary>Largest offset and length: 2^40.</summary>
    public const long LengthMax = 1L << 40;

    /// <summary>Largest number of sources of one gradient request.</summary>
    public const int SourcesMax = 4096;

    /// <summary>Bytes behind the gradient of an update: the step's scalars.</summary>
    public const int ScalarBytes = 32;

    /// <summary>Longest that the other side may be asked to wait: ten minutes.</summary>
    public const int WaitMillisecondsMax = 600_000;

    /// <summary>What kind of thing.</summary>
    public TensorKind Kind { get; }

    /// <summary>The epoch in which it is asked for.</summary>
    public Epoch Epoch { get; }

    /// <summary>The step of the gradient, weights, state or moments; of an update the one that it leads on from; of a blob that belongs to a step, that one.</summary>
    public Step Step { get; }

    /// <summary>The shard; the blob's number for a blob.</summary>
    public int Number { get; }

    /// <summary>Where the range begins: floats from the start of the flat parameter vector; bytes for a blob.</summary>
    public long Offset { get; }

    /// <summary>Length of the range: floats; bytes for a blob. At least 1.</summary>
    public long Length { get; }

    /// <summary>The node of the reduction tree whose sum is wanted; of a gradient only.</summary>
    public LeafNode Node { get; init; }

    /// <summary>
    /// The buffers whose sum that is, in leaf order: together they cover the leaves of <see cref="Node"/> exactly once, and the asked side
    /// holds all of them. Of a gradient only. Not changed until the fetch has ended.
    /// </summary>
    public ReadOnlyMemory<ReductionSource> Sources { get; init; }

    /// <summary>
    /// How long the other side may wait for what is not there yet, in milliseconds; 0: not at all. It answers
    /// <see cref="RefusalReason.NotYet"/> when that is over.
    /// </summary>
    public int WaitMilliseconds { get; init; }

    /// <summary>The shard that the range belongs to.</summary>
    public ShardIndex Shard => new(Number);

    /// <summary>Parts that are sent one after another, each as long as the range: 3 of a state, 2 of moments, else 1.</summary>
    public int Sections => SectionsOf(Kind);

    /// <summary>Bytes of one section.</summary>
    public long SectionBytes => Kind switch
    {
        TensorKind.Blob => Length,
        TensorKind.Update => (Length * sizeof(float)) + ScalarBytes,
        _ => Length * sizeof(float),
    };

    /// <summary>Bytes of all sections.</summary>
    public long TotalBytes => Sections * SectionBytes;

    /// <summary>Asks for the sum of buffers over a range: one node of the reduction tree that the other side holds wholly, or will.</summary>
    /// <param name="epoch">The epoch of the reduction.</param>
    /// <param name="step">The step.</param>
    /// <param name="shard">The shard.</param>
    /// <param name="offset">First float, from the start of the vector.</param>
    /// <param name="length">Floats.</param>
    /// <param name="node">The node of the tree.</param>
    /// <param name="sources">1 to <see cref="SourcesMax"/> buffers that cover its leaves exactly once, in leaf order.</param>
    /// <param name="waitMilliseconds">How long the other side may wait until the range is final in all of them; 0 to <see cref="WaitMillisecondsMax"/>.</param>
    public static TensorRequest Gradient(
        Epoch epoch, Step step, ShardIndex shard, long offset, long length, LeafNode node, ReadOnlyMemory<ReductionSource> sources, int waitMilliseconds = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sources.Length, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sources.Length, SourcesMax);
        return new TensorRequest(TensorKind.Gradient, epoch, step, shard.Number, offset, length) { Node = node, Sources = sources }.Waiting(waitMilliseconds);
    }

    /// <summary>Asks for weights at a step, waiting for the step to be reached.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="step">The step whose update reads them; step s has s updates in it.</param>
    /// <param name="shard">The shard.</param>
    /// <param name="offset">First float, from the start of the vector.</param>
    /// <param name="length">Floats.</param>
    /// <param name="waitMilliseconds">How long the other side may wait for the step; 0 to <see cref="WaitMillisecondsMax"/>.</param>
    public static TensorRequest Weights(Epoch epoch, Step step, ShardIndex shard, long offset, long length, int waitMilliseconds) =>
        new TensorRequest(TensorKind.Weights, epoch, step, shard.Number, offset, length).Waiting(waitMilliseconds);

    /// <summary>Asks for weights and both moments at a step.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="step">The step.</param>
    /// <param name="shard">The shard.</param>
    /// <param name="offset">First float, from the start of the vector.</param>
    /// <param name="length">Floats of each of the three.</param>
    /// <param name="waitMilliseconds">How long the other side may wait for the step; 0 to <see cref="WaitMillisecondsMax"/>.</param>
    public static TensorRequest State(Epoch epoch, Step step, ShardIndex shard, long offset, long length, int waitMilliseconds = 0) =>
        new TensorRequest(TensorKind.State, epoch, step, shard.Number, offset, length).Waiting(waitMilliseconds);

    /// <summary>Asks for both moments at a step.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="step">The step.</param>
    /// <param name="shard">The shard.</param>
    /// <param name="offset">First float, from the start of the vector.</param>
    /// <param name="length">Floats of each of the two.</param>
    /// <param name="waitMilliseconds">How long the other side may wait for the step; 0 to <see cref="WaitMillisecondsMax"/>.</param>
    public static TensorRequest Moments(Epoch epoch, Step step, ShardIndex shard, long offset, long length, int waitMilliseconds = 0) =>
        new TensorRequest(TensorKind.Moments, epoch, step, shard.Number, offset, length).Waiting(waitMilliseconds);

    /// <summary>Asks for what takes a whole shard from a step to the next one, waiting for the step to be committed.</summary>
    /// <param name="epoch">The epoch.</param>
    /// <param name="step">The step that it leads on from.</param>
    /// <param name="shard">The shard.</param>
    /// <param name="offset">The shard's first float, from the start of the vector.</param>
    /// <param name="length">The shard's floats.</param>
    /// <param name="waitMilliseconds">How long the other side may wait for the step; 0 to <see cref="WaitMillisecondsMax"/>.</param>
    public static TensorRequest Update(Epoch epoch, Step step, ShardIndex shard, long offset, long length, int waitMilliseconds = 0) =>
        new TensorRequest(TensorKind.Update, epoch, step, shard.Number, offset, length).Waiting(waitMilliseconds);

    /// <summary>Asks for bytes of a blob. A broken fetch is gone on with by asking for the rest.</summary>
    /// <param name="number">The blob's number.</param>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="step">The step that it belongs to; 0 where it belongs to the whole run.</param>
    public static TensorRequest Blob(int number, long offset, long length, Step step = default) =>
        new(TensorKind.Blob, default, step, number, offset, length);

    /// <summary>As in <c>weights of shard 3 at step 17, 1024 from 4096</c>.</summary>
    public override string ToString() => Kind switch
    {
        TensorKind.Blob => $"blob {Number}, {Length} bytes from {Offset}",
        TensorKind.Gradient => $"gradient of node {Node} for shard {Number} at step {Step}, {Length} from {Offset}",
        TensorKind.Weights => $"weights of shard {Number} at step {Step}, {Length} from {Offset}",
        TensorKind.Moments => $"moments of shard {Number} at step {Step}, {Length} from {Offset}",
        TensorKind.Update => $"update of shard {Number} on from step {Step}, {Length} from {Offset}",
        _ => $"state of shard {Number} at step {Step}, {Length} from {Offset}",
    };

    /// <summary>Parts in which a kind is sent.</summary>
    internal static int SectionsOf(TensorKind kind) => kind switch
    {
        TensorKind.State => 3,
        TensorKind.Moments => 2,
        _ => 1,
    };

    private TensorRequest Waiting(int milliseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(milliseconds);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(milliseconds, WaitMillisecondsMax);
        return this with { WaitMilliseconds = milliseconds };
    }
}
