using Cllm.Model;
using Cllm.Model.Files;

namespace Cllm.Tests.Checkpoints;

/// <summary>
/// A disk that can lose power and run out of space. What was not flushed may be lost, kept or torn; names that were not synced may each be
/// lost or kept, in any combination.
/// </summary>
internal sealed class MemoryFileStore : IFileStore
{
    private readonly Folder _root = new();
    private int _operationsLeft = int.MaxValue;

    /// <summary>Bytes all files together may take; one more fails, after what still fitted was written.</summary>
    public long CapacityBytes { get; set; } = long.MaxValue;

    /// <summary>Changes made so far: creations, writes, flushes, renames, deletions, syncs.</summary>
    public int Operations { get; private set; }

    public long UsedBytes => Files(_root).Sum(f => (long)f.Content.Length);

    /// <summary>Lets that many more changes happen; the next one, and all after it, find the power lost.</summary>
    public void LosePowerAfter(int operations) => _operationsLeft = operations;

    /// <summary>Power is back: only what lasts is there.</summary>
    public void Restart(Random random)
    {
        _operationsLeft = int.MaxValue;
        Restart(_root, random);
    }

    public byte[] Bytes(string path) => FileAt(path).Content;

    /// <summary>Replaces a file's bytes behind everyone's back.</summary>
    public void Overwrite(string path, byte[] content)
    {
        var file = FileAt(path);
        file.Content = content;
        file.Durable = content;
    }

    public void CreateFolder(string path)
    {
        var folder = _root;
        foreach (string name in Parts(path))
        {
            if (!folder.Entries.TryGetValue(name, out var next))
            {
                Count();
                next = new Folder();
                folder.Set(name, next);
                folder.Sync();
            }

            folder = (Folder)next;
        }
    }

    public IFileWriter Create(string path)
    {
        Count();
        var file = new StoredFile();
        ParentOf(path).Set(Name(path), file);
        return new Writer(this, file, path);
    }

    /// <summary>Files of this folder cannot be read, as on a disk that has an error there; none most of the time.</summary>
    public string? UnreadableFolder { get; set; }

    public IFileReader OpenRead(string path) => UnreadableFolder is { } folder && path.StartsWith(folder + "/", StringComparison.Ordinal)
        ? throw new InputException($"{path} cannot be read")
        : new Reader(path, FileAt(path).Content);

    public IReadOnlyList<string> List(string folder) =>
        Find(folder) is Folder found ? [.. found.Entries.Keys.Order(StringComparer.Ordinal)] : [];

    public void Rename(string from, string to)
    {
        Count();
        var parent = ParentOf(from);
        Assert.Same(parent, ParentOf(to));
        var node = parent.Entries[Name(from)];
        Assert.False(parent.Entries.GetValueOrDefault(Name(to)) is Folder, $"{to} is there already.");
        parent.Change(entries =>
        {
            entries.Remove(Name(from));
            entries[Name(to)] = node;
        });
    }

    public void Delete(string path)
    {
        var node = Find(path);
        if (node is null)
        {
            return;
        }

        // A folder is emptied name by name, and power may be lost between any two.
        foreach (string name in (node as Folder)?.Entries.Keys.ToArray() ?? [])
        {
            Delete(path + "/" + name);
        }

        Count();
        ParentOf(path).Change(entries => entries.Remove(Name(path)));
    }

    public void SyncFolder(string path)
    {
        Count();
        ((Folder)Find(path)!).Sync();
    }

    private void Count()
    {
        if (_operationsLeft == 0)
        {
            throw new PowerLostException();
        }

        _operationsLeft--;
        Operations++;
    }

    private static void Restart(Folder folder, Random random)
    {
        foreach (var change in folder.Unsynced.Where(_ => random.Next(2) == 0))
        {
            change(folder.Durable);
        }

        folder.Entries = new(folder.Durable);
        folder.Unsynced.Clear();
        foreach (object node in folder.Entries.Values)
        {
            if (node is Folder inner)
            {
                Restart(inner, random);
            }
            else
            {
                ((StoredFile)node).Restart(random);
            }
        }
    }

    private static IEnumerable<StoredFile> Files(Folder folder) =>
        folder.Entries.Values.SelectMany(node => node is Folder inner ? Files(inner) : [(StoredFile)node]);

    private StoredFile FileAt(string path) =>
        Find(path) as StoredFile ?? throw new InputException($"There is no file {path}; check the path.");

    private Folder ParentOf(string path) => (Folder)Find(Path.GetDirectoryName(path)!)!;

    private object? Find(string path) =>
        Parts(path).Aggregate((object?)_root, (node, name) => (node as Folder)?.Entries.GetValueOrDefault(name));

    private static string[] Parts(string path) => path.Split(['/', '\\'], StringSplitOptions.RemoveEmptyEntries);

    private static string Name(string path) => Path.GetFileName(path);

    private sealed class Folder
    {
        public Dictionary<string, object> Entries { get; set; } = [];

        public Dictionary<string, object> Durable { get; private set; } = [];

        public List<Action<Dictionary<string, object>>> Unsynced { get; } = [];

        public void Set(string name, object node) => Change(entries => entries[name] = node);

        public void Change(Action<Dictionary<string, object>> change)
        {
            change(Entries);
            Unsynced.Add(change);
        }

        public void Sync()
        {
            Durable = new(Entries);
            Unsynced.Clear();
        }
    }

    private sealed class StoredFile
    {
        public byte[] Content { get; set; } = [];

        public byte[] Durable { get; set; } = [];

        public void Restart(Random random)
        {
            if (!Content.AsSpan().SequenceEqual(Durable))
            {
                Content = random.Next(3) switch
                {
                    0 => Durable,
                    1 => Content[..random.Next(Content.Length + 1)],
                    _ => [.. Content[..random.Next(Content.Length + 1)], .. new byte[random.Next(100)]],
                };
            }

            Durable = Content;
        }
    }

    private sealed class Writer(MemoryFileStore store, StoredFile file, string path) : IFileWriter
    {
        public void Write(ReadOnlySpan<byte> bytes)
        {
            store.Count();
            int fitting = (int)Math.Min(bytes.Length, store.CapacityBytes - store.UsedBytes);
            file.Content = [.. file.Content, .. bytes[..fitting]];
            if (fitting < bytes.Length)
            {
                throw new StorageException($"{path} could not be written because the disk is full; delete something there.");
            }
        }

        public void FlushToDisk()
        {
            store.Count();
            file.Durable = file.Content;
        }

        public void Dispose() { }
    }

    private sealed class Reader(string path, byte[] content) : IFileReader
    {
        public long Length => content.Length;

        public void Read(long offset, Span<byte> destination)
        {
            if (offset + destination.Length > content.Length)
            {
                throw new InputException($"{path} ends too early; copy or write it again.");
            }

            content.AsSpan((int)offset, destination.Length).CopyTo(destination);
        }

        public void Dispose() { }
    }
}

/// <summary>The machine is off; nothing that runs on it can catch this.</summary>
internal sealed class PowerLostException : Exception;
