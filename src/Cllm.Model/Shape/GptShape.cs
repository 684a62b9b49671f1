namespace Cllm.Model.Shape;

/// <summary>The shape of a GPT-2 model: learned positions, pre-norm blocks, output head tied to the token embedding.</summary>
/// <param name="Vocabulary">V, the number of token ids.</param>
/// <param name="Block">T, the longest context in tokens.</param>
/// <param name="Layers">L, the number of transformer blocks.</param>
/// <param name="Heads">H, attention heads; they divide the width.</param>
/// <param name="Width">C, numbers per token in the residual stream.</param>
public sealed record GptShape(int Vocabulary, int Block, int Layers, int Heads, int Width)
{
    /// <summary>D, numbers per attention head.</summary>
    public int HeadSize => Width / Heads;

    /// <summary>Checks that the shape describes a model.</summary>
    /// <returns>This shape.</returns>
    /// <exception cref="InputException">A size is not positive, the heads do not divide the width, or there are more than 2^31 - 1 parameters.</exception>
    public GptShape Validate()
    {
        Positive(Vocabulary, "the vocabulary");
        Positive(Block, "--block");
        Positive(Layers, "--layers");
        Positive(Heads, "--heads");
        Positive(Width, "--width");
        if (Width % Heads != 0)
        {
            throw new InputException($"{Heads} heads do not divide a width of {Width}; choose --heads so that --width is a multiple of it.");
        }

        double parameters = (double)Width * (Vocabulary + Block) + (double)Layers * (12.0 * Width * Width + 13.0 * Width);
        if (parameters > int.MaxValue * 0.95)
        {
            throw new InputException($"This shape has {parameters / 1e9:F1} billion parameters and 2 billion is the most; make --width or --layers smaller.");
        }

        return this;
    }

    private static void Positive(int value, string what)
    {
        if (value <= 0)
        {
            throw new InputException($"{what} is {value} and must be at least 1.");
        }
    }
}
