using System.Text;

namespace Cllm.Model.Text;

/// <summary>Every byte of the UTF-8 is a token; the id is the byte's value, 0 to 255.</summary>
public sealed class ByteTokenizer : ITokenizer
{
    private static readonly TokenTable Table = new([.. Enumerable.Range(0, 256).Select(value => new[] { (byte)value })]);

    /// <inheritdoc/>
    public string Kind => "byte";

    /// <inheritdoc/>
    public int VocabularySize => Table.Count;

    /// <inheritdoc/>
    public int[] Encode(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return Array.ConvertAll(bytes, value => (int)value);
    }

    /// <inheritdoc/>
    public string Decode(ReadOnlySpan<int> ids) => Table.Decode(ids);

    /// <inheritdoc/>
    public ReadOnlySpan<byte> Bytes(int id) => Table[id];

    /// <inheritdoc/>
    public long ByteCount(ReadOnlySpan<int> ids) => Table.ByteCount(ids);

    /// <inheritdoc/>
    public byte[] Serialize() => TokenizerJson.WriteBytes();
}
