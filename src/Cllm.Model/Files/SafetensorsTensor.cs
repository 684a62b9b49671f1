namespace Cllm.Model.Files;

/// <summary>One tensor in a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The format's name of its numbers: F32, BF16, …</param>
/// <param name="Dimensions">Its shape; empty for a single number.</param>
/// <param name="Start">Byte at which it starts, counted from the end of the header.</param>
/// <param name="Bytes">Bytes it takes.</param>
public sealed record SafetensorsTensor(string Name, string Type, IReadOnlyList<long> Dimensions, long Start, long Bytes)
{
    /// <summary>How many numbers it holds.</summary>
    public long Length => Bytes / TypeBytes(Type);

    /// <summary>Its shape as people write it: [2, 3].</summary>
    public string ShownShape => $"[{string.Join(", ", Dimensions)}]";

    /// <summary>Bytes of one number, or 0 for a type that the format does not know.</summary>
    internal static int TypeBytes(string type) => type switch
    {
        "F64" or "I64" or "U64" => 8,
        "F32" or "I32" or "U32" => 4,
        "F16" or "BF16" or "I16" or "U16" => 2,
        "BOOL" or "I8" or "U8" or "F8_E5M2" or "F8_E4M3" => 1,
        _ => 0,
    };
}
