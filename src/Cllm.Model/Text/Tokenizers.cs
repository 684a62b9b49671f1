namespace Cllm.Model.Text;

/// <summary>Makes tokenizers by the name that --tokenizer takes.</summary>
public static class Tokenizers
{
    /// <summary>The tokenizer of that kind for a text.</summary>
    /// <param name="kind">byte, char or bpe.</param>
    /// <param name="text">The text it is made from; byte needs none.</param>
    /// <param name="vocabulary">Entries wanted; for bpe only.</param>
    /// <exception cref="InputException">The kind is unknown, the text empty (char), or the vocabulary out of range (bpe).</exception>
    public static ITokenizer Train(string kind, string text, int vocabulary = BpeTokenizer.DefaultVocabulary) => kind switch
    {
        "byte" => new ByteTokenizer(),
        "char" => CharTokenizer.Train(text),
        "bpe" => BpeTokenizer.Train(text, vocabulary),
        _ => throw new InputException($"There is no tokenizer \"{kind}\"; choose --tokenizer byte, char or bpe."),
    };
}
