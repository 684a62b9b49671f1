using System.Text;

namespace Cllm.Model.Text;

/// <summary>
/// Decodes ids one at a time, as a model generates them: a character whose bytes are spread over several tokens appears when its last
/// byte has arrived. All pieces in a row, with <see cref="Flush"/> at the end, are <see cref="ITokenizer.Decode"/> of all ids.
/// </summary>
public sealed class StreamingDecoder
{
    private readonly ITokenizer _tokenizer;
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    /// <summary>A decoder that has seen nothing yet.</summary>
    public StreamingDecoder(ITokenizer tokenizer) => _tokenizer = tokenizer;

    /// <summary>The text that the id completes; empty when it ends inside a character.</summary>
    /// <exception cref="InputException">The id is not in the vocabulary.</exception>
    public string Append(int id) => Decode(_tokenizer.Bytes(id), atEnd: false);

    /// <summary>What is left at the end: U+FFFD for an unfinished character, otherwise empty.</summary>
    public string Flush() => Decode([], atEnd: true);

    private string Decode(ReadOnlySpan<byte> bytes, bool atEnd)
    {
        var characters = new char[_decoder.GetCharCount(bytes, atEnd)];
        _decoder.GetChars(bytes, characters, atEnd);
        return new string(characters);
    }
}
