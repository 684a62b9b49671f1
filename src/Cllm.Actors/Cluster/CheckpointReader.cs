using Cllm.Actors.Channel;
using Cllm.Model;
using Cllm.Model.Checkpoints;
using Cllm.Model.Files;

namespace Cllm.Actors.Cluster;

/// <summary>
/// Gives out the files of checkpoints, as blobs of their step. From the disk, not from the state in memory, which goes on; and each request opens its file
/// anew, so that nobody keeps one that was removed meanwhile.
/// </summary>
internal sealed class CheckpointReader(CheckpointStore checkpoints) : ITensorReader
{
    /// <summary>Number of the file with the weights; those below are blobs of the whole run.</summary>
    public const int Weights = 2;

    /// <summary>Number of the file with Adam's moments.</summary>
    public const int Optimizer = 3;

    private IFileReader? _file;
    private long _first;

    /// <summary>Whether a blob of that number is a checkpoint's file.</summary>
    public static bool Gives(int number) => number is Weights or Optimizer;

    /// <summary>The number of a checkpoint's file.</summary>
    public static int NumberOf(string name) => name == CheckpointFolder.WeightsName ? Weights : Optimizer;

    public TensorOpening Open(in TensorRequest request)
    {
        Dispose();
        try
        {
            _file = checkpoints.OpenFile(
                request.Step.Number, request.Number == Weights ? CheckpointFolder.WeightsName : CheckpointFolder.OptimizerName);
        }
        catch (InputException)
        {
            return TensorOpening.Refuse(RefusalReason.Gone, $"The checkpoint of step {request.Step} is not there any more.");
        }

        if (request.Offset + request.Length > _file.Length)
        {
            return TensorOpening.Refuse(RefusalReason.WrongRange, $"That file of the checkpoint of step {request.Step} has {_file.Length} bytes.");
        }

        _first = request.Offset;
        return TensorOpening.Ready;
    }

    public ReadOnlySpan<byte> Read(int section, long offset, int length, Span<byte> scratch)
    {
        _file!.Read(_first + offset, scratch[..length]);
        return scratch[..length];
    }

    public TensorRefusal Close()
    {
        Dispose();
        return TensorRefusal.None;
    }

    public void Dispose()
    {
        _file?.Dispose();
        _file = null;
    }
}
