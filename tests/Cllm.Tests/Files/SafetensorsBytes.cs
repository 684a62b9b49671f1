using System.Buffers.Binary;
using System.Text;
using Cllm.Model.Files;

namespace Cllm.Tests.Files;

/// <summary>Makes safetensors files, good and bad ones, for tests.</summary>
internal static class SafetensorsBytes
{
    /// <summary>A file of any header text and any data.</summary>
    public static byte[] Of(string header, byte[] data) => Of((ulong)Encoding.UTF8.GetByteCount(header), header, data);

    /// <summary>A file that claims any header length.</summary>
    public static byte[] Of(ulong headerLength, string header, byte[] data)
    {
        byte[] prefix = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, headerLength);
        return [.. prefix, .. Encoding.UTF8.GetBytes(header), .. data];
    }

    /// <summary>Writes a file with the program's own writer.</summary>
    public static void Write(string path, params (string Name, int[] Dimensions, float[] Values)[] tensors)
    {
        using var file = DiskFileStore.Instance.Create(path);
        var writer = new SafetensorsWriter(file, [.. tensors.Select(t => (t.Name, (IReadOnlyList<int>)t.Dimensions))]);
        foreach (var (name, _, values) in tensors)
        {
            writer.Write(name, values);
        }

        writer.Complete();
    }

    /// <summary>Every tensor of a file on disk, by name.</summary>
    public static Dictionary<string, float[]> ReadAll(string path)
    {
        using var reader = SafetensorsReader.Open(path);
        return reader.Tensors.ToDictionary(t => t.Name, t =>
        {
            float[] values = new float[t.Length];
            reader.Read(t, values);
            return values;
        });
    }
}
