using Cllm.Model.Generation;
using Cllm.Model.Shape;
using Cllm.Model.Text;
using Cllm.Numerics.Memory;

namespace Cllm.Cli.Commands;

/// <summary>Writes what a model goes on with, each piece as soon as it is drawn.</summary>
public static class Sample
{
    /// <summary>Tokens written unless the user says otherwise.</summary>
    public const int Tokens = 200;

    /// <summary>Temperature unless the user says otherwise.</summary>
    public const double Temperature = 0.8;

    /// <summary>Seed unless the user says otherwise.</summary>
    public const long Seed = 1;

    /// <summary>Writes the prompt and its continuation, ending in a line break.</summary>
    /// <exception cref="Model.InputException">The prompt holds a character that a tokenizer of characters does not know.</exception>
    public static void Write(
        ParameterLayout layout, AlignedBuffer weights, ITokenizer tokenizer, string prompt, int tokens, Sampler sampler, TextWriter output)
    {
        using var generator = new TextGenerator(layout, weights, tokenizer);
        var text = new StreamingDecoder(tokenizer);
        int[] beginning = generator.EncodePrompt(prompt);
        output.Write(prompt);
        foreach (int id in generator.Continue(beginning, tokens, sampler))
        {
            output.Write(id < tokenizer.VocabularySize ? text.Append(id) : "");
            output.Flush();
        }

        output.WriteLine(text.Flush());
    }
}
