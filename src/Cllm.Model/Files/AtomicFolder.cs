namespace Cllm.Model.Files;

/// <summary>
/// A folder that appears whole or not at all: filled under a temporary name beside its place, then renamed. Disposed before
/// <see cref="Commit"/>, it removes the temporary and leaves the old folder as it was.
/// </summary>
public sealed class AtomicFolder : IDisposable
{
    private readonly IFileStore _store;
    private readonly string _path;
    private bool _committed;

    private AtomicFolder(IFileStore store, string path)
    {
        _store = store;
        _path = path;
    }

    /// <summary>The folder to fill. Whoever writes a file into it flushes that file.</summary>
    public string TemporaryPath => _path + AtomicFile.TemporarySuffix;

    /// <summary>Starts a new folder; what an earlier, failed attempt left behind is removed first.</summary>
    public static AtomicFolder Begin(IFileStore store, string path)
    {
        var folder = new AtomicFolder(store, Path.GetFullPath(path));
        try
        {
            store.Delete(folder.TemporaryPath);
            store.CreateFolder(folder.TemporaryPath);
            return folder;
        }
        catch (StorageException)
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>Makes the folder's names last and puts it in its place; a folder that is there already is removed just before.</summary>
    public void Commit()
    {
        _store.SyncFolder(TemporaryPath);
        _store.Delete(_path);
        _store.Rename(TemporaryPath, _path);
        _committed = true;
        _store.SyncFolder(Path.GetDirectoryName(_path)!);
    }

    /// <summary>Without a commit, removes the temporary.</summary>
    public void Dispose()
    {
        if (!_committed)
        {
            AtomicFile.Remove(_store, TemporaryPath);
        }
    }
}
