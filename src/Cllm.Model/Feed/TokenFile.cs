using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using Cllm.Model.Files;

namespace Cllm.Model.Feed;

/// <summary>
/// Token ids on disk, little-endian uint16 without header, mapped into memory: opening costs one pass over the file, reading copies
/// from the page cache, and processes on one machine share the pages. Any number of threads may read at once.
/// </summary>
public sealed unsafe class TokenFile : IDisposable
{
    private const int ChunkTokens = 1 << 16;

    private readonly string _path;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _start;

    private TokenFile(string path, MemoryMappedFile file, long bytes, MemoryMappedFileAccess access)
    {
        _path = path;
        Length = bytes / sizeof(ushort);
        _file = file;
        _view = _file.CreateViewAccessor(0, bytes, access);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        _start += _view.PointerOffset;
    }

    /// <summary>Number of tokens; at least 1.</summary>
    public long Length { get; }

    /// <summary>Maps a file of token ids, and checks all of it once.</summary>
    /// <param name="path">The file.</param>
    /// <param name="vocabulary">V: every id has to be below it.</param>
    /// <exception cref="InputException">
    /// The file is missing, unreadable, empty, of odd length, or has an id outside the vocabulary.
    /// </exception>
    public static TokenFile Open(string path, int vocabulary)
    {
        if (!File.Exists(path))
        {
            throw new InputException($"There is no token file {path}; check --data.");
        }

        TokenFile file;
        try
        {
            // The length of the open file: that of the path would be the link's own where the path is a link.
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            try
            {
                RefuseLength(path, stream.Length);
                file = new TokenFile(
                    path,
                    MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false),
                    stream.Length,
                    MemoryMappedFileAccess.Read);
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The token file {path} cannot be read ({e.Message.TrimEnd('.')}); check its permissions.", e);
        }

        try
        {
            file.RefuseIdsFrom(vocabulary);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Holds ids like a file of them, in memory alone, so that nothing is left of them however the process ends.</summary>
    /// <param name="name">What they were made from, for sentences.</param>
    /// <param name="ids">The ids; at least one.</param>
    /// <exception cref="InputException">There is none, or one does not fit into 16 bits.</exception>
    public static TokenFile Of(string name, ReadOnlySpan<int> ids)
    {
        long bytes = ids.Length * (long)sizeof(ushort);
        RefuseLength(name, bytes);
        RefuseWide(name, ids);
        var file = new TokenFile(name, MemoryMappedFile.CreateNew(null, bytes), bytes, MemoryMappedFileAccess.ReadWrite);
        for (int i = 0; i < ids.Length; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(new(file._start + (i * (long)sizeof(ushort)), sizeof(ushort)), (ushort)ids[i]);
        }

        return file;
    }

    /// <summary>Writes ids to a file, whole or not at all.</summary>
    /// <exception cref="InputException">An id does not fit into 16 bits.</exception>
    /// <exception cref="StorageException">The file cannot be written there.</exception>
    public static void Write(string path, ReadOnlySpan<int> ids)
    {
        RefuseWide(path, ids);
        using var file = AtomicFile.Begin(DiskFileStore.Instance, path);
        var chunk = new byte[ChunkTokens * sizeof(ushort)];
        while (!ids.IsEmpty)
        {
            ReadOnlySpan<int> part = ids[..Math.Min(ids.Length, ChunkTokens)];
            for (int i = 0; i < part.Length; i++)
            {
                BinaryPrimitives.WriteUInt16LittleEndian(chunk.AsSpan(i * sizeof(ushort)), (ushort)part[i]);
            }

            file.Writer.Write(chunk.AsSpan(0, part.Length * sizeof(ushort)));
            ids = ids[part.Length..];
        }

        file.Commit();
    }

    /// <summary>Copies the ids from <paramref name="start"/> on, as many as the destination holds. Allocates nothing.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The file ends before.</exception>
    public void Read(long start, Span<int> destination)
    {
        ObjectDisposedException.ThrowIf(_start == null, this);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, Length - destination.Length);
        ReadOnlySpan<byte> source = new(_start + start * sizeof(ushort), destination.Length * sizeof(ushort));
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = BinaryPrimitives.ReadUInt16LittleEndian(source[(i * sizeof(ushort))..]);
        }
    }

    /// <summary>SHA-256 of the file's bytes, hexadecimal and in lower case. Reads the whole file at every call.</summary>
    public string Digest()
    {
        ObjectDisposedException.ThrowIf(_start == null, this);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long at = 0; at < Length; at += ChunkTokens)
        {
            int tokens = (int)Math.Min(Length - at, ChunkTokens);
            hash.AppendData(new ReadOnlySpan<byte>(_start + at * sizeof(ushort), tokens * sizeof(ushort)));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Unmaps the file. No thread may be reading.</summary>
    public void Dispose()
    {
        if (_start != null)
        {
            _start = null;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _file.Dispose();
        }
    }

    private static void RefuseLength(string path, long bytes)
    {
        if (bytes == 0)
        {
            throw new InputException($"The token file {path} is empty; give --data token ids or text.");
        }

        if (bytes % sizeof(ushort) != 0)
        {
            throw new InputException(
                $"{path} has {bytes} bytes, an odd number, and a token file holds two for each id (little-endian uint16);"
                + " it is cut off or no token file.");
        }
    }

    private static void RefuseWide(string path, ReadOnlySpan<int> ids)
    {
        int wide = ids.IndexOfAnyExceptInRange(0, ushort.MaxValue);
        if (wide >= 0)
        {
            throw new InputException(
                $"Token {wide} has id {ids[wide]}, and {path} holds 16 bits for each; use a tokenizer with at most 65536 entries.");
        }
    }

    private void RefuseIdsFrom(int vocabulary)
    {
        var chunk = new int[ChunkTokens];
        for (long at = 0; at < Length; at += ChunkTokens)
        {
            Span<int> ids = chunk.AsSpan(0, (int)Math.Min(Length - at, ChunkTokens));
            Read(at, ids);
            int beyond = ids.IndexOfAnyExceptInRange(0, vocabulary - 1);
            if (beyond >= 0)
            {
                throw new InputException(
                    $"Token {at + beyond} of {_path} has id {ids[beyond]}, outside a vocabulary of {vocabulary};"
                    + $" give --vocab at least {ids[beyond] + 1}, or the data and the model that belong together.");
            }
        }
    }
}
