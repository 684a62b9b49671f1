using Cllm.Cli.Commands;
using Cllm.Cli.Display;
using Cllm.Model;
using Cllm.Model.Compute;
using Cllm.Model.Feed;
using Cllm.Model.Files;
using Cllm.Model.Run;
using Cllm.Model.Shape;
using Cllm.Model.Text;

namespace Cllm.Cli.Train;

/// <summary>A run whose folder this process holds, with its data and its tokenizer at hand.</summary>
public sealed class PreparedRun : IDisposable
{
    private readonly string? _initPath;

    private PreparedRun(string path, RunFolder folder, TokenFile tokens, string? initPath)
    {
        Path = path;
        Folder = folder;
        Tokens = tokens;
        _initPath = initPath;
        RunConfiguration run = Configuration;
        Split = RunRows.Split(run, tokens);
        string tokenizer = TokenizedData.TokenizerPath(path);
        Tokenizer = run.Tokenizer == TrainPlan.TokenIds ? null : TokenizerFile.Load(tokenizer);
        if (Tokenizer is not null && TokenizerFile.Digest(Tokenizer) != run.TokenizerDigest)
        {
            throw new InputException($"{tokenizer} is not the tokenizer that the run was started with; restore it from a copy.");
        }
    }

    /// <summary>The run's folder as the user would name it.</summary>
    public string Path { get; }

    /// <summary>The run's folder, held by this process.</summary>
    public RunFolder Folder { get; }

    /// <summary>What decides the run's bits.</summary>
    public RunConfiguration Configuration => Folder.Description.Configuration;

    /// <summary>What does not.</summary>
    public RunOptions Options => Folder.Description.Options;

    /// <summary>All tokens.</summary>
    public TokenFile Tokens { get; }

    /// <summary>Which tokens are trained on.</summary>
    public DataSplit Split { get; }

    /// <summary>The tokenizer; null when the data were token ids.</summary>
    public ITokenizer? Tokenizer { get; }

    /// <summary>Starts a run: everything is checked before its folder appears.</summary>
    /// <exception cref="InputException">The data, the settings, the given model or the folder cannot be used, or there is too little memory.</exception>
    /// <exception cref="StorageException">The disk is full or failed.</exception>
    public static PreparedRun Start(TrainRequest request, Terminal terminal)
    {
        using TrainedModel? init = request.InitPath is null ? null : TrainedModel.Load(request.InitPath);
        TrainPlan plan = request.Settings.Resolve(request, init?.Layout.Shape);
        RefuseIdleTokenizerSettings(request, plan);
        string path = RunLocation.OfNew(request);
        terminal.Say($"Reading {request.DataPath ?? "the built-in stories"} …");
        TokenizedData data = TokenizedData.Read(
            request.DataPath, text => init?.Tokenizer() ?? Tokenizers.Train(plan.Tokenizer, text, plan.Vocabulary), plan.Vocabulary);
        DataSplit.Create(data.Count, plan.ValidationFraction, plan.Block);
        RunConfiguration configuration = plan.Configure(
            init?.Layout.Shape.Vocabulary ?? data.Vocabulary, data.Kind, data.TokenizerDigest, data.Digest,
            init is null ? "" : Digest.Weights(init.Layout, init.Weights.Span));
        RunOptions options = plan.Spread(Environment.ProcessorCount);
        MemoryCheck.OfRun(configuration, options, isNew: true).Require(terminal.Fail);
        RunFolder? folder = null;
        bool isOurs = false;
        try
        {
            folder = RunFolder.Create(
                path, configuration, options, DateTimeOffset.UtcNow,
                full =>
                {
                    isOurs = true;
                    data.Store(full);
                },
                TokenizedData.FileNames);
            return Open(path, folder, request.InitPath);
        }
        catch when (isOurs)
        {
            // The folder was new or empty; what was begun in it is no use to anybody.
            folder?.Dispose();
            Directory.Delete(path, recursive: true);
            throw;
        }
    }

    /// <summary>Opens a run to go on with it.</summary>
    /// <exception cref="InputException">
    /// There is no run, it is damaged, or something given now differs from what it was started with.
    /// </exception>
    public static PreparedRun Resume(TrainRequest request, Terminal terminal)
    {
        string path = RunLocation.OfResumed(request);
        RunDescription description = RunFolder.Read(path);
        RunConfiguration started = description.Configuration;

        // Workers and threads are this machine's affair. What else changes no bit stays as it was asked for, unless it is asked for anew.
        TrainPlan before = TrainPlan.Of(started) with { CheckpointEvery = description.Options.CheckpointEvery, Recompute = description.Options.Recompute };
        TrainPlan plan = request.Settings.Resume(before, request, path);
        if (request.DataPath is not null)
        {
            RefuseOtherData(request.DataPath, path, started);
        }

        RunOptions options = plan.Spread(Environment.ProcessorCount);
        MemoryCheck.OfRun(started, options, isNew: false).Require(terminal.Fail);
        RunFolder folder = RunFolder.Resume(path, started, options);
        try
        {
            return Open(path, folder, request.InitPath);
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>What the run computes, with the rows it reads.</summary>
    public RunPlan Plan() => RunRows.Plan(Configuration, Tokens);

    /// <summary>Fills in the weights before the first step: drawn from the seed, or the given model's.</summary>
    /// <exception cref="InputException">The run started from a given model and --init does not name it.</exception>
    public void FillInitialWeights(ParameterLayout layout, Span<float> weights)
    {
        string digest = Configuration.InitialWeightsDigest;
        if (digest.Length == 0)
        {
            InitialWeights.Draw(layout, Configuration.Seed, weights);
            return;
        }

        if (_initPath is null)
        {
            throw new InputException($"The run in {Path} has no checkpoint and started from a given model; name that again with --init.");
        }

        using TrainedModel init = TrainedModel.Load(_initPath);
        if (init.Layout.Shape != layout.Shape || Digest.Weights(init.Layout, init.Weights.Span) != digest)
        {
            throw new InputException(
                $"The model in {_initPath} is not the one that the run in {Path} started from; name that with --init.");
        }

        init.Weights.Span.CopyTo(weights);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Tokens.Dispose();
        Folder.Dispose();
    }

    private static PreparedRun Open(string path, RunFolder folder, string? initPath)
    {
        RunConfiguration run = folder.Description.Configuration;
        string tokens = TokenizedData.TokensPath(path);
        if (!File.Exists(tokens))
        {
            throw new InputException(
                $"The run in {path} has lost its data, {tokens}; put them back, or start a new run with another --out.");
        }

        TokenFile file = TokenFile.Open(tokens, run.Shape.Vocabulary);
        try
        {
            return file.Digest() == run.DataDigest
                ? new PreparedRun(path, folder, file, initPath)
                : throw new InputException($"{tokens} has changed since the run was started; restore it from a copy.");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static void RefuseOtherData(string dataPath, string path, RunConfiguration started)
    {
        bool ids = started.Tokenizer == TrainPlan.TokenIds;
        TokenizedData data = TokenizedData.Read(
            dataPath, _ => TokenizerFile.Load(TokenizedData.TokenizerPath(path)), started.Shape.Vocabulary);
        if (TokenizedData.IsTokenIds(dataPath) != ids || data.Digest != started.DataDigest)
        {
            throw new InputException($"The run in {path} was started with other data than {dataPath}; leave --data out to resume it.");
        }
    }

    private static void RefuseIdleTokenizerSettings(TrainRequest request, TrainPlan plan)
    {
        bool ids = TokenizedData.IsTokenIds(request.DataPath);
        if (request.Gave("--tokenizer") && ids)
        {
            throw new InputException($"--tokenizer is for text and {request.DataPath} holds token ids; leave it out.");
        }

        if (request.Gave("--tokenizer") && request.InitPath is not null)
        {
            throw new InputException($"The tokenizer comes with the model in {request.InitPath}; leave --tokenizer out.");
        }

        if (request.Gave("--vocab") && !ids && request.InitPath is null && plan.Tokenizer != "bpe")
        {
            throw new InputException($"--vocab is for bpe and the {plan.Tokenizer} tokenizer decides its own; leave it out.");
        }
    }
}
