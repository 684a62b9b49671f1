using System.Text;

namespace Cllm.Model.Text;

/// <summary>The bytes of every token id: the half of a tokenizer that all kinds have in common.</summary>
internal sealed class TokenTable
{
    private readonly byte[]?[] _tokens;

    /// <summary>Creates the table; null marks an id that no token has.</summary>
    public TokenTable(byte[]?[] tokens) => _tokens = tokens;

    /// <summary>One more than the largest id.</summary>
    public int Count => _tokens.Length;

    /// <summary>The bytes of one id.</summary>
    public byte[] this[int id] => (uint)id < (uint)_tokens.Length && _tokens[id] is { } bytes
        ? bytes
        : throw new InputException(
            $"Token id {id} is not in the tokenizer's vocabulary of {Count}; use the one that the model or the token file was made with.");

    /// <summary>How many bytes the ids stand for.</summary>
    public long ByteCount(ReadOnlySpan<int> ids)
    {
        long count = 0;
        foreach (int id in ids)
        {
            count += this[id].Length;
        }

        return count;
    }

    /// <summary>The text of the ids.</summary>
    public string Decode(ReadOnlySpan<int> ids)
    {
        var bytes = new byte[checked((int)ByteCount(ids))];
        int at = 0;
        foreach (int id in ids)
        {
            byte[] token = this[id];
            token.CopyTo(bytes, at);
            at += token.Length;
        }

        return Encoding.UTF8.GetString(bytes);
    }
}
