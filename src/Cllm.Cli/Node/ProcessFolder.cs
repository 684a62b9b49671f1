using Cllm.Model;

namespace Cllm.Cli.Node;

/// <summary>
/// A temporary folder of this process. A file beside it is locked for as long as the process lives, however it ends: so the next process knows which folders
/// were left by one that was killed, and removes them.
/// </summary>
/// <remarks>The lock is the system's own, which it lets go with the process; nothing is concluded from numbers of processes, which are given out again.</remarks>
public sealed class ProcessFolder : IDisposable
{
    private const string Prefix = "cllm-node-";
    private const string LockSuffix = ".lock";
    private const int NameBytes = 6;

    /// <summary>A name may be taken, or removed by another process in the moment before it is locked; not so often in a row.</summary>
    private const int AttemptsMax = 8;

    private readonly FileStream _lock;

    private ProcessFolder(FileStream held, string path) => (_lock, FolderPath) = (held, path);

    /// <summary>The folder.</summary>
    public string FolderPath { get; }

    /// <summary>Makes a folder that only this user can read.</summary>
    /// <param name="parent">Where; null for the system's place for temporary files.</param>
    /// <exception cref="InputException">Nothing can be written there.</exception>
    public static ProcessFolder Create(string? parent = null)
    {
        string place = parent ?? Path.GetTempPath();
        for (int attempt = 0; attempt < AttemptsMax; attempt++)
        {
            string path = Path.Combine(place, Prefix + Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(NameBytes)));
            if (TryLock(path + LockSuffix, FileMode.CreateNew) is { } held)
            {
                if (OperatingSystem.IsWindows())
                {
                    Directory.CreateDirectory(path);
                }
                else
                {
                    Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                }

                return new ProcessFolder(held, path);
            }
        }

        throw new InputException($"No file can be made in {place}, the folder for temporary files; let TMPDIR name one that can be written.");
    }

    /// <summary>Removes folders whose process lives no longer. What cannot be removed, or may belong to somebody, stays.</summary>
    /// <param name="parent">Where; null for the system's place for temporary files.</param>
    public static void RemoveAbandoned(string? parent = null)
    {
        using ProcessFolder own = Create(parent);
        if (TryLock(own.FolderPath + LockSuffix, FileMode.Open) is { } second)
        {
            // Locks do not hold on this file system: nobody can tell who lives.
            second.Dispose();
            return;
        }

        foreach (string file in Directory.EnumerateFiles(parent ?? Path.GetTempPath(), $"{Prefix}*{LockSuffix}"))
        {
            if (TryLock(file, FileMode.Open) is { } held)
            {
                Remove(held, file[..^LockSuffix.Length]);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Remove(_lock, FolderPath);

    private static FileStream? TryLock(string path, FileMode mode)
    {
        try
        {
            return new FileStream(path, mode, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // It is held, gone, or another user's.
            return null;
        }
    }

    /// <summary>The folder first: as long as there is something, there is a lock that says whose.</summary>
    private static void Remove(FileStream held, string path)
    {
        try
        {
            if (Directory.Exists(path))
            {
                Directory.Delete(path, recursive: true);
            }

            File.Delete(path + LockSuffix);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // It is in the way of nobody; the next process tries again.
        }
        finally
        {
            held.Dispose();
        }
    }
}
