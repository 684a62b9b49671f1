namespace Cllm.Model.Files;

/// <summary>
/// The few operations that durable files are made of. Two stores exist: the disk, and one in memory for tests that loses power,
/// tears writes and runs out of space.
/// </summary>
/// <remarks>
/// What has been written lasts through a power loss only after <see cref="IFileWriter.FlushToDisk"/> for a file's content and
/// <see cref="SyncFolder"/> for the names in a folder. Failures to write are <see cref="StorageException"/>, failures to read
/// <see cref="InputException"/>.
/// </remarks>
public interface IFileStore
{
    /// <summary>Creates a folder and its missing parents, and makes their names last. Does nothing when the folder is there.</summary>
    void CreateFolder(string path);

    /// <summary>Creates a file for writing; an existing one is emptied.</summary>
    IFileWriter Create(string path);

    /// <summary>Opens a file for reading.</summary>
    /// <exception cref="InputException">It is not there or cannot be read.</exception>
    IFileReader OpenRead(string path);

    /// <summary>The names in a folder, in ordinal order; none when there is no such folder.</summary>
    IReadOnlyList<string> List(string folder);

    /// <summary>
    /// Gives a file or a folder another name on the same disk, in one piece. A file replaces the one of that name; a folder does not.
    /// </summary>
    void Rename(string from, string to);

    /// <summary>Deletes a file, or a folder with all it holds. Does nothing when neither is there.</summary>
    void Delete(string path);

    /// <summary>Makes the present names in a folder last through a power loss.</summary>
    void SyncFolder(string path);
}

/// <summary>A file being written from its start.</summary>
public interface IFileWriter : IDisposable
{
    /// <summary>Appends bytes.</summary>
    /// <exception cref="StorageException">The disk is full or failed.</exception>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>Makes everything written so far last through a power loss.</summary>
    void FlushToDisk();
}

/// <summary>A file opened for reading at any place.</summary>
public interface IFileReader : IDisposable
{
    /// <summary>Bytes in the file when it was opened.</summary>
    long Length { get; }

    /// <summary>Reads exactly as many bytes as the destination holds.</summary>
    /// <exception cref="InputException">The file ends before that, or cannot be read.</exception>
    void Read(long offset, Span<byte> destination);
}
