using System.Buffers;
using System.Buffers.Binary;

namespace Cllm.Model.Files;

/// <summary>
/// Reads a safetensors file of any size: the header at once, tensors one by one, as single precision. No length in the file is
/// believed before it has been checked against the file.
/// </summary>
/// <remarks>
/// The format: 8 bytes little-endian header length, a JSON header, then the tensors without gaps
/// (https://github.com/huggingface/safetensors). Every fault is an <see cref="InputException"/> that names file, tensor and fault.
/// </remarks>
public sealed class SafetensorsReader : IDisposable
{
    internal const string MetadataName = "__metadata__";

    private const int LengthBytes = 8;
    private const int HeaderBytesMax = 100_000_000;
    private const int ConversionBytes = 1 << 20;

    private readonly IFileReader _file;
    private readonly string _path;
    private readonly long _dataStart;
    private readonly List<SafetensorsTensor> _tensors;
    private readonly Dictionary<string, SafetensorsTensor> _byName;

    private SafetensorsReader(IFileReader file, string path)
    {
        _file = file;
        _path = path;
        var header = ReadHeader(out _dataStart);
        Metadata = ReadMetadata(header);
        _tensors = header.Names.Where(n => n != MetadataName).Select(n => ReadEntry(header, n)).ToList();
        _tensors.Sort((a, b) => (a.Start, a.Bytes).CompareTo((b.Start, b.Bytes)));
        RequireNoGaps();
        _byName = _tensors.ToDictionary(t => t.Name);
    }

    /// <summary>All tensors, in the order in which they lie in the file.</summary>
    public IReadOnlyList<SafetensorsTensor> Tensors => _tensors;

    /// <summary>Bytes of the whole file.</summary>
    public long FileBytes => _file.Length;

    /// <summary>SHA-256 of all bytes before the first tensor, lowercase hexadecimal.</summary>
    public string HeaderDigest { get; private set; } = "";

    /// <summary>The file's free-form notes; empty when it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file on disk and checks its header.</summary>
    /// <exception cref="InputException">There is no such file, or it is not a valid safetensors file.</exception>
    public static SafetensorsReader Open(string path) => Open(DiskFileStore.Instance, path);

    /// <summary>Opens a file and checks its header.</summary>
    /// <exception cref="InputException">There is no such file, or it is not a valid safetensors file.</exception>
    public static SafetensorsReader Open(IFileStore store, string path)
    {
        var file = store.OpenRead(path);
        try
        {
            return new SafetensorsReader(file, path);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The tensor of that name, or null.</summary>
    public SafetensorsTensor? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Reads a tensor of type F32, F16, BF16 or F64 and converts it to single precision.</summary>
    /// <param name="tensor">One of <see cref="Tensors"/>.</param>
    /// <param name="destination">As long as the tensor.</param>
    /// <exception cref="InputException">The type is another one, or the file has been cut since it was opened.</exception>
    public void Read(SafetensorsTensor tensor, Span<float> destination)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(destination.Length, tensor.Length);
        long offset = _dataStart + tensor.Start;
        if (tensor.Type == "F32")
        {
            while (!destination.IsEmpty)
            {
                var piece = destination[..Math.Min(destination.Length, FloatBytes.ChunkLength)];
                _file.Read(offset, FloatBytes.Of(piece));
                offset += (long)piece.Length * sizeof(float);
                destination = destination[piece.Length..];
            }

            return;
        }

        ReadConverted(tensor, offset, destination);
    }

    /// <summary>SHA-256 of all bytes behind the header, lowercase hexadecimal. Reads them all.</summary>
    /// <exception cref="InputException">The file has been cut since it was opened.</exception>
    public string DataDigest() => Digest.Of(_file, _dataStart);

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private void ReadConverted(SafetensorsTensor tensor, long offset, Span<float> destination)
    {
        if (tensor.Type is not ("F16" or "BF16" or "F64"))
        {
            throw Wrong($"tensor {Quoted(tensor.Name)} is of type {tensor.Type}, and only F32, F16, BF16 and F64 can be read");
        }

        int size = SafetensorsTensor.TypeBytes(tensor.Type);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ConversionBytes);
        while (!destination.IsEmpty)
        {
            int count = Math.Min(destination.Length, ConversionBytes / size);
            var bytes = buffer.AsSpan(0, count * size);
            _file.Read(offset, bytes);
            for (int i = 0; i < count; i++)
            {
                destination[i] = ToSingle(tensor.Type, bytes[(i * size)..]);
            }

            offset += bytes.Length;
            destination = destination[count..];
        }

        ArrayPool<byte>.Shared.Return(buffer);
    }

    private static float ToSingle(string type, ReadOnlySpan<byte> bytes) => type switch
    {
        "F16" => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes),
        "BF16" => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16),
        _ => (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes),
    };

    private JsonFields ReadHeader(out long dataStart)
    {
        if (_file.Length < LengthBytes)
        {
            throw Wrong($"it has {_file.Length} bytes, too few for a header");
        }

        Span<byte> prefix = stackalloc byte[LengthBytes];
        _file.Read(0, prefix);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > HeaderBytesMax || (long)length > _file.Length - LengthBytes)
        {
            throw Wrong($"its header claims {length} bytes in a file of {_file.Length}");
        }

        byte[] header = new byte[LengthBytes + (int)length];
        _file.Read(0, header);
        HeaderDigest = Digest.Bytes(header);
        dataStart = header.Length;
        return JsonFields.Parse(_path, header.AsMemory(LengthBytes));
    }

    private static Dictionary<string, string> ReadMetadata(JsonFields header)
    {
        if (!header.Has(MetadataName))
        {
            return [];
        }

        var notes = header.Object(MetadataName);
        return notes.Names.ToDictionary(n => n, notes.Text);
    }

    private SafetensorsTensor ReadEntry(JsonFields header, string name)
    {
        var entry = header.Object(name);
        string type = entry.Text("dtype");
        long[] shape = entry.Wholes("shape");
        long[] range = entry.Wholes("data_offsets");
        int size = SafetensorsTensor.TypeBytes(type);
        if (size == 0)
        {
            throw Wrong($"tensor {Quoted(name)} is of the unknown type {Quoted(type)}");
        }

        long data = _file.Length - _dataStart;
        if (range.Length != 2 || range[0] > range[1] || range[1] > data)
        {
            throw Wrong($"tensor {Quoted(name)} claims bytes [{string.Join(", ", range)}] of {data}");
        }

        var tensor = new SafetensorsTensor(name, type, shape, range[0], range[1] - range[0]);
        Int128 bytes = size;
        foreach (long dimension in shape)
        {
            // Both factors are below 2^63, so the product cannot overflow; what exceeds the file is refused before the next factor.
            bytes *= dimension;
            if (bytes > long.MaxValue)
            {
                throw Wrong($"tensor {Quoted(name)} of shape {tensor.ShownShape} is larger than any file");
            }
        }

        return bytes == tensor.Bytes
            ? tensor
            : throw Wrong($"tensor {Quoted(name)} of shape {tensor.ShownShape}, {type}, needs {bytes} bytes and has {tensor.Bytes}");
    }

    private void RequireNoGaps()
    {
        long end = 0;
        foreach (var tensor in _tensors)
        {
            if (tensor.Start != end)
            {
                throw Wrong($"tensor {Quoted(tensor.Name)} starts at byte {tensor.Start} of the data and the one before it ends at {end}");
            }

            end += tensor.Bytes;
        }

        if (_dataStart + end != _file.Length)
        {
            throw Wrong($"it has {_file.Length} bytes where its header describes {_dataStart + end}");
        }
    }

    private static string Quoted(string name) => $"\"{JsonFields.Shown(name)}\"";

    private InputException Wrong(string what) => new($"{_path} is not a valid safetensors file: {what}; copy or write it again.");
}
