namespace Cllm.Model.Files;

/// <summary>
/// A file that appears whole or not at all: written under a temporary name beside its place, flushed, then renamed. Disposed before
/// <see cref="Commit"/>, it removes the temporary and leaves the old file as it was.
/// </summary>
public sealed class AtomicFile : IDisposable
{
    /// <summary>What a temporary file's or folder's name ends with.</summary>
    public const string TemporarySuffix = ".tmp";

    private readonly IFileStore _store;
    private readonly string _path;
    private bool _committed;

    private AtomicFile(IFileStore store, string path)
    {
        _store = store;
        _path = path;
        Writer = store.Create(TemporaryPath);
    }

    /// <summary>Takes the content, from its start.</summary>
    public IFileWriter Writer { get; }

    private string TemporaryPath => _path + TemporarySuffix;

    /// <summary>Starts a new content for the file at <paramref name="path"/>, whose folder exists.</summary>
    /// <exception cref="StorageException">The temporary file cannot be created.</exception>
    public static AtomicFile Begin(IFileStore store, string path) => new(store, Path.GetFullPath(path));

    /// <summary>Writes a whole small file atomically.</summary>
    public static void Write(IFileStore store, string path, ReadOnlySpan<byte> content)
    {
        using var file = Begin(store, path);
        file.Writer.Write(content);
        file.Commit();
    }

    /// <summary>Makes the content last and puts it in its place.</summary>
    public void Commit()
    {
        Writer.FlushToDisk();
        Writer.Dispose();
        _store.Rename(TemporaryPath, _path);
        _committed = true;
        _store.SyncFolder(Path.GetDirectoryName(_path)!);
    }

    /// <summary>Closes the file; without a commit, removes the temporary.</summary>
    public void Dispose()
    {
        Writer.Dispose();
        if (!_committed)
        {
            Remove(_store, TemporaryPath);
        }
    }

    internal static void Remove(IFileStore store, string temporaryPath)
    {
        try
        {
            store.Delete(temporaryPath);
        }
        catch (StorageException)
        {
            // The failure that led here is the one to report; the next writer replaces the leftover.
        }
    }
}
