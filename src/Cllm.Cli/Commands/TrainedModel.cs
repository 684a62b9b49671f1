using Cllm.Cli.Train;
using Cllm.Model;
using Cllm.Model.Checkpoints;
using Cllm.Model.Files;
using Cllm.Model.HuggingFace;
using Cllm.Model.Run;
using Cllm.Model.Shape;
using Cllm.Model.Text;
using Cllm.Numerics.Memory;

namespace Cllm.Cli.Commands;

/// <summary>
/// The weights that --model names: a Hugging Face folder, a finished run, a run under way (its newest checkpoint) or one checkpoint.
/// </summary>
public sealed class TrainedModel : IDisposable
{
    private TrainedModel(ParameterLayout layout, AlignedBuffer weights, string tokenizerPath, string origin)
    {
        Layout = layout;
        Weights = weights;
        TokenizerPath = tokenizerPath;
        Origin = origin;
    }

    /// <summary>Where each tensor lies.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>The flat parameter vector.</summary>
    public AlignedBuffer Weights { get; }

    /// <summary>The folder the weights were read from.</summary>
    public string Origin { get; }

    private string TokenizerPath { get; }

    /// <summary>Reads the weights.</summary>
    /// <exception cref="InputException">There is no model in the folder, or it is damaged.</exception>
    public static TrainedModel Load(string folder)
    {
        string where = Locate(folder);
        if (File.Exists(Path.Combine(where, CheckpointFolder.StateName)))
        {
            string run = Path.GetFullPath(Path.Combine(where, "..", ".."));
            CheckpointState state = CheckpointFolder.Verify(DiskFileStore.Instance, where);
            return Load(where, state.Shape, Path.Combine(run, HuggingFaceFolder.TokenizerName), (layout, weights) =>
                CheckpointFolder.LoadWeights(DiskFileStore.Instance, where, state, layout, weights.Span));
        }

        return Load(where, HuggingFaceFolder.Read(where), Path.Combine(where, HuggingFaceFolder.TokenizerName), (layout, weights) =>
            HuggingFaceFolder.LoadWeights(where, layout, weights.Span));
    }

    /// <summary>The folder that holds the weights: the given one, or the newest checkpoint of an unfinished run.</summary>
    /// <exception cref="InputException">There is no model in the folder.</exception>
    public static string Locate(string folder)
    {
        if (File.Exists(folder))
        {
            throw new InputException($"{folder} is a file; give the folder that it is in, {Path.GetDirectoryName(Path.GetFullPath(folder))}.");
        }

        if (!Directory.Exists(folder))
        {
            throw new InputException($"There is no folder {folder}; give one with a model, such as a run under runs/.");
        }

        if (File.Exists(Path.Combine(folder, HuggingFaceFolder.WeightsName)))
        {
            return folder;
        }

        var checkpoints = new CheckpointStore(DiskFileStore.Instance, folder, 1);
        IReadOnlyList<long> steps = checkpoints.ListSteps();
        if (steps.Count > 0)
        {
            return checkpoints.PathOf(steps[^1]);
        }

        if (HuggingFaceFolder.OtherWeights(folder) is { } other)
        {
            throw new InputException(
                $"The model in {folder} has its weights in {other} and not in {HuggingFaceFolder.WeightsName}, the one file that is read; convert it with "
                + $"`python3 -c 'from transformers import GPT2LMHeadModel as M; M.from_pretrained(\"{folder}\").save_pretrained(\"{folder}\", max_shard_size=\"99GB\")'`.");
        }

        throw new InputException(RunFolder.Holds(folder)
            ? $"The run in {folder} has no checkpoint yet; wait for one, or go on with `{RunSummary.ResumeLine(folder)}`."
            : $"There is no model in {folder}: it has no {HuggingFaceFolder.WeightsName}; "
                + "give a finished run or a Hugging Face GPT-2 folder.");
    }

    /// <summary>The model's tokenizer, or null when there is none.</summary>
    public ITokenizer? TokenizerIfAny() => File.Exists(TokenizerPath) ? Tokenizer() : null;

    /// <summary>The model's tokenizer.</summary>
    /// <exception cref="InputException">It has none, or one for more tokens than the model knows.</exception>
    public ITokenizer Tokenizer()
    {
        if (!File.Exists(TokenizerPath))
        {
            throw new InputException(
                $"The model in {Origin} has no {HuggingFaceFolder.TokenizerName}, so text means nothing to it; "
                + $"put its tokenizer's file at {TokenizerPath}.");
        }

        ITokenizer tokenizer = TokenizerFile.Load(TokenizerPath);
        return tokenizer.VocabularySize <= Layout.Shape.Vocabulary
            ? tokenizer
            : throw new InputException(
                $"{TokenizerPath} has {tokenizer.VocabularySize} tokens and the model knows {Layout.Shape.Vocabulary}; "
                + "put the model's own tokenizer there.");
    }

    /// <inheritdoc/>
    public void Dispose() => Weights.Dispose();

    private static TrainedModel Load(string where, GptShape shape, string tokenizerPath, Action<ParameterLayout, AlignedBuffer> read)
    {
        var layout = new ParameterLayout(shape);
        var weights = new AlignedBuffer(layout.Length);
        try
        {
            read(layout, weights);
            return new TrainedModel(layout, weights, tokenizerPath, where);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }
}
