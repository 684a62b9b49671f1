using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;

namespace Cllm.Model.Files;

/// <summary>
/// Writes a safetensors file of single-precision tensors, one after the other in a given order; equal input gives equal bytes.
/// </summary>
public sealed class SafetensorsWriter
{
    private const int HeaderAlignmentBytes = 8;

    private readonly IFileWriter _file;
    private readonly IReadOnlyList<(string Name, IReadOnlyList<int> Dimensions)> _tensors;
    private int _written;

    /// <summary>Writes the header.</summary>
    /// <param name="file">Takes the bytes; still the caller's to flush and dispose.</param>
    /// <param name="tensors">Names and shapes, in the order in which the tensors will follow.</param>
    /// <param name="metadata">Free-form notes, in this order; null for none.</param>
    public SafetensorsWriter(
        IFileWriter file,
        IReadOnlyList<(string Name, IReadOnlyList<int> Dimensions)> tensors,
        IReadOnlyList<KeyValuePair<string, string>>? metadata = null)
    {
        _file = file;
        _tensors = tensors;
        byte[] json = Header(tensors, metadata);
        int padding = -json.Length & (HeaderAlignmentBytes - 1);
        byte[] bytes = new byte[sizeof(ulong) + json.Length + padding];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)(json.Length + padding));
        json.CopyTo(bytes, sizeof(ulong));
        bytes.AsSpan(sizeof(ulong) + json.Length).Fill((byte)' ');
        file.Write(bytes);
        HeaderDigest = Digest.Bytes(bytes);
        FileBytes = bytes.Length + tensors.Sum(t => Length(t.Dimensions) * sizeof(float));
    }

    /// <summary>SHA-256 of all bytes before the first tensor, lowercase hexadecimal.</summary>
    public string HeaderDigest { get; }

    /// <summary>Bytes of the whole file when all tensors have been written.</summary>
    public long FileBytes { get; }

    /// <summary>Writes the next tensor.</summary>
    /// <param name="name">Its name, which must be the next in the header.</param>
    /// <param name="values">As many numbers as its shape says.</param>
    public void Write(string name, ReadOnlySpan<float> values)
    {
        if (_written == _tensors.Count || _tensors[_written].Name != name || Length(_tensors[_written].Dimensions) != values.Length)
        {
            throw new InvalidOperationException($"Tensor {name} of {values.Length} numbers is not number {_written} of the header.");
        }

        _written++;
        while (!values.IsEmpty)
        {
            int count = Math.Min(values.Length, FloatBytes.ChunkLength);
            _file.Write(FloatBytes.Of(values[..count]));
            values = values[count..];
        }
    }

    /// <summary>Checks that every tensor of the header has been written.</summary>
    public void Complete()
    {
        if (_written != _tensors.Count)
        {
            throw new InvalidOperationException($"{_written} of {_tensors.Count} tensors were written.");
        }
    }

    private static byte[] Header(
        IReadOnlyList<(string Name, IReadOnlyList<int> Dimensions)> tensors, IReadOnlyList<KeyValuePair<string, string>>? metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        if (metadata is not null)
        {
            json.WriteStartObject(SafetensorsReader.MetadataName);
            foreach (var (key, value) in metadata)
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
        }

        long offset = 0;
        foreach (var (name, dimensions) in tensors)
        {
            long end = offset + Length(dimensions) * sizeof(float);
            json.WriteStartObject(name);
            json.WriteString("dtype", "F32");
            json.WriteStartArray("shape");
            foreach (int dimension in dimensions)
            {
                json.WriteNumberValue(dimension);
            }

            json.WriteEndArray();
            json.WriteStartArray("data_offsets");
            json.WriteNumberValue(offset);
            json.WriteNumberValue(end);
            json.WriteEndArray();
            json.WriteEndObject();
            offset = end;
        }

        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static long Length(IReadOnlyList<int> dimensions) => dimensions.Aggregate(1L, (product, d) => checked(product * d));
}
