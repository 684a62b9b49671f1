using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cllm.Model.Files;

/// <summary>The real disk.</summary>
public sealed partial class DiskFileStore : IFileStore
{
    private const int ReadOnly = 0;

    private DiskFileStore() { }

    /// <summary>The only one: it has no state.</summary>
    public static DiskFileStore Instance { get; } = new();

    /// <inheritdoc/>
    public void CreateFolder(string path)
    {
        string full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            return;
        }

        string? parent = Path.GetDirectoryName(full);
        if (parent is not null)
        {
            CreateFolder(parent);
        }

        Writing(full, () => Directory.CreateDirectory(full));
        if (parent is not null)
        {
            SyncFolder(parent);
        }
    }

    /// <inheritdoc/>
    public IFileWriter Create(string path) =>
        // FileShare.None is a lock on every platform: two processes never write into one temporary file.
        Writing(path, () => new DiskFileWriter(path, File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.None)));

    /// <inheritdoc/>
    public IFileReader OpenRead(string path) =>
        DiskFileReader.Reading(path, () => new DiskFileReader(path, File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete)));

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string folder)
    {
        if (!Directory.Exists(folder))
        {
            return [];
        }

        string[] paths = DiskFileReader.Reading(folder, () => Directory.GetFileSystemEntries(folder));
        string[] names = [.. paths.Select(p => Path.GetFileName(p))];
        Array.Sort(names, StringComparer.Ordinal);
        return names;
    }

    /// <inheritdoc/>
    public void Rename(string from, string to) => Writing(to, () =>
    {
        if (Directory.Exists(from))
        {
            Directory.Move(from, to);
        }
        else
        {
            File.Move(from, to, overwrite: true);
        }

        return true;
    });

    /// <inheritdoc/>
    public void Delete(string path) => Writing(path, () =>
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else if (File.Exists(path))
        {
            File.Delete(path);
        }

        return true;
    });

    /// <inheritdoc/>
    public void SyncFolder(string path)
    {
        // Windows has no such call: NTFS journals its names itself.
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        Writing(path, () =>
        {
            // The runtime refuses to open a folder as a file, so the handle comes from the C library.
            int descriptor = Open(path, ReadOnly);
            if (descriptor < 0)
            {
                throw new IOException(Marshal.GetLastPInvokeErrorMessage(), Marshal.GetLastPInvokeError());
            }

            using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
            RandomAccess.FlushToDisk(handle);
            return true;
        });
    }

    internal static T Writing<T>(string path, Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageException.While(path, e);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);
}

/// <summary>A file on disk being written; unbuffered, so callers write large pieces.</summary>
internal sealed class DiskFileWriter(string path, SafeFileHandle handle) : IFileWriter
{
    private long _length;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            RandomAccess.Write(handle, bytes, _length);
            _length += bytes.Length;
        }
        catch (IOException e)
        {
            throw StorageException.While(path, e);
        }
    }

    public void FlushToDisk() => DiskFileStore.Writing(path, () =>
    {
        RandomAccess.FlushToDisk(handle);
        return true;
    });

    public void Dispose() => handle.Dispose();
}

/// <summary>A file on disk being read.</summary>
internal sealed class DiskFileReader(string path, SafeFileHandle handle) : IFileReader
{
    public long Length { get; } = Reading(path, () => RandomAccess.GetLength(handle));

    public void Read(long offset, Span<byte> destination)
    {
        while (!destination.IsEmpty)
        {
            int count;
            try
            {
                count = RandomAccess.Read(handle, destination, offset);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
            {
                throw Unreadable(path, e);
            }

            if (count == 0)
            {
                throw new InputException($"{path} ends at byte {offset}, {destination.Length} bytes too early; copy or write it again.");
            }

            offset += count;
            destination = destination[count..];
        }
    }

    public void Dispose() => handle.Dispose();

    internal static T Reading<T>(string path, Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"There is no file {path}; check the path.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw Unreadable(path, e);
        }
    }

    private static InputException Unreadable(string path, Exception e) =>
        new($"{path} cannot be read ({e.Message.TrimEnd('.')}); check that it is a file and that you may read it.", e);
}
