using Cllm.Model.Shape;
using Cllm.Model.Text;
using Cllm.Numerics.Memory;

namespace Cllm.Model.Generation;

/// <summary>Writes text with a trained model, token by token.</summary>
/// <remarks>
/// GPT-2 has a learned embedding per position, so a full context cannot slide by one: when the block is full, generation goes on from its
/// newer half, which is read anew.
/// </remarks>
public sealed class TextGenerator : IDisposable
{
    private readonly GptDecoder _decoder;
    private readonly ITokenizer _tokenizer;
    private readonly int _block;

    /// <summary>Prepares generation.</summary>
    /// <param name="layout">Layout of the weights.</param>
    /// <param name="weights">The flat parameter vector; not owned.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    public TextGenerator(ParameterLayout layout, AlignedBuffer weights, ITokenizer tokenizer)
    {
        _decoder = new GptDecoder(layout, weights, GptDecoder.ThreadsFor(layout));
        _tokenizer = tokenizer;
        _block = layout.Shape.Block;
    }

    /// <summary>Token ids that continue a prompt, as they are drawn. The same prompt, sampler seed and weights give the same ids.</summary>
    /// <param name="prompt">Ids to continue; at least one. Of a prompt longer than the block its end counts.</param>
    /// <param name="tokens">How many ids to draw.</param>
    /// <param name="sampler">Draws from the logits.</param>
    public IEnumerable<int> Continue(IReadOnlyList<int> prompt, int tokens, Sampler sampler)
    {
        var context = new List<int>(prompt);
        _decoder.Reset();
        ReadTail(context, _block);
        for (int i = 0; i < tokens; i++)
        {
            int id = sampler.Draw(_decoder.Logits, i);
            yield return id;
            context.Add(id);
            if (i + 1 == tokens)
            {
                break;
            }

            if (_decoder.Length == _block)
            {
                _decoder.Reset();
                ReadTail(context, (_block + 1) / 2);
            }
            else
            {
                _decoder.Read([id]);
            }
        }
    }

    /// <summary>The prompt's ids; an empty prompt becomes a line break, or id 0 where the vocabulary has none.</summary>
    public int[] EncodePrompt(string prompt)
    {
        int[] ids = _tokenizer.Encode(prompt);
        if (ids.Length > 0)
        {
            return ids;
        }

        try
        {
            ids = _tokenizer.Encode("\n");
        }
        catch (InputException)
        {
            ids = [];
        }

        return ids.Length > 0 ? ids : [0];
    }

    /// <inheritdoc/>
    public void Dispose() => _decoder.Dispose();

    private void ReadTail(List<int> context, int most)
    {
        int count = Math.Min(most, context.Count);
        _decoder.Read(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(context).Slice(context.Count - count, count));
    }
}
