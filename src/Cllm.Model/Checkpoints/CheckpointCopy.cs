using Cllm.Model.Files;
using Cllm.Model.Shape;

namespace Cllm.Model.Checkpoints;

/// <summary>
/// A checkpoint of another process of the run while it is copied here. Like one that is written here, it is there whole or not at all: its files fill a temporary
/// folder, and every byte of them is verified before that gets its name. Disposed before <see cref="Commit"/>, it leaves nothing.
/// </summary>
public sealed class CheckpointCopy : IDisposable
{
    /// <summary>What a safetensors file has beside its numbers: a name, a shape and a place for each tensor.</summary>
    private const int HeaderBytesPerTensorMax = 512;

    private readonly IFileStore _store;
    private readonly AtomicFolder _folder;
    private readonly byte[] _state;
    private readonly Action _prune;

    internal CheckpointCopy(IFileStore store, AtomicFolder folder, CheckpointState state, byte[] content, Action prune)
    {
        (_store, _folder, _state, _prune) = (store, folder, content, prune);
        Files = [(CheckpointFolder.WeightsName, state.Weights.Bytes), (CheckpointFolder.OptimizerName, state.Optimizer.Bytes)];
    }

    /// <summary>The files to be copied, and how long they are.</summary>
    public IReadOnlyList<(string Name, long Bytes)> Files { get; }

    /// <summary>Creates one of them; the caller writes, flushes and disposes it.</summary>
    /// <exception cref="StorageException">The disk is full or failed.</exception>
    public IFileWriter Create(string name) => _store.Create(Path.Combine(_folder.TemporaryPath, name));

    /// <summary>Verifies what was copied, and makes it a checkpoint that lasts; the oldest beyond the number to keep are deleted.</summary>
    /// <exception cref="InputException">A file is not what the checkpoint's state.json says.</exception>
    /// <exception cref="StorageException">The disk is full or failed.</exception>
    public void Commit()
    {
        using (var file = Create(CheckpointFolder.StateName))
        {
            file.Write(_state);
            file.FlushToDisk();
        }

        CheckpointFolder.Verify(_store, _folder.TemporaryPath);
        _folder.Commit();
        _prune();
    }

    /// <inheritdoc/>
    public void Dispose() => _folder.Dispose();

    /// <summary>What of the lengths cannot be, if anything: nobody makes this process write more than a checkpoint has.</summary>
    internal static string? Difference(CheckpointState state, ParameterLayout layout) =>
        Difference(CheckpointFolder.WeightsName, state.Weights, layout, vectors: 1)
        ?? Difference(CheckpointFolder.OptimizerName, state.Optimizer, layout, vectors: 2);

    private static string? Difference(string name, CheckpointFile file, ParameterLayout layout, int vectors)
    {
        long numbers = vectors * sizeof(float) * layout.Tensors.Sum(tensor => (long)tensor.Length);
        long beside = HeaderBytesPerTensorMax * (1 + (vectors * (long)layout.Tensors.Count));
        return file.Bytes > numbers && file.Bytes <= numbers + beside ? null : $"its {name} is said to have {file.Bytes} bytes, of which {numbers} are numbers";
    }
}
