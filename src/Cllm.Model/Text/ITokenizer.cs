namespace Cllm.Model.Text;

/// <summary>
/// Text to token ids and back. Every id stands for a fixed sequence of bytes (<see cref="Bytes"/>), and a text is the UTF-8 of those
/// bytes in a row. Implementations are immutable: any number of threads may use one at once.
/// </summary>
public interface ITokenizer
{
    /// <summary>byte, char or bpe: what --tokenizer takes.</summary>
    string Kind { get; }

    /// <summary>V, one more than the largest id.</summary>
    int VocabularySize { get; }

    /// <summary>The ids of a text. Unpaired surrogates count as U+FFFD, as in every UTF-8 encoder.</summary>
    /// <exception cref="InputException">A character has no id (char only: bytes and byte-level BPE encode any text).</exception>
    int[] Encode(string text);

    /// <summary>The text of the ids; bytes that are no UTF-8 become U+FFFD. Token by token: <see cref="StreamingDecoder"/>.</summary>
    /// <exception cref="InputException">An id is not in the vocabulary.</exception>
    string Decode(ReadOnlySpan<int> ids);

    /// <summary>The bytes one id stands for; not always whole characters.</summary>
    /// <exception cref="InputException">The id is not in the vocabulary.</exception>
    ReadOnlySpan<byte> Bytes(int id);

    /// <summary>How many bytes of UTF-8 the ids stand for: what "bits per byte" divides by.</summary>
    /// <exception cref="InputException">An id is not in the vocabulary.</exception>
    long ByteCount(ReadOnlySpan<int> ids);

    /// <summary>
    /// The tokenizer as a Hugging Face tokenizer.json in UTF-8. Equal tokenizers give equal bytes, so its SHA-256 names the tokenizer
    /// (<see cref="TokenizerFile.Digest(ITokenizer)"/>).
    /// </summary>
    byte[] Serialize();
}
