using Cllm.Actors.Bootstrap;
using Cllm.Cli.Train;
using Cllm.Model;
using Cllm.Model.Checkpoints;
using Cllm.Model.Compute;
using Cllm.Model.Feed;
using Cllm.Model.Files;
using Cllm.Model.Run;
using Cllm.Model.Shape;

namespace Cllm.Cli.Node;

/// <summary>A run that another process started, with all that this one needs to take part: its rows, and for a standby a folder to go on in.</summary>
public sealed class JoinedRun : IDisposable
{
    private readonly ReceivedData _data;

    private JoinedRun(ReceivedData data, RunFolder? folder, string? folderPath)
    {
        _data = data;
        Folder = folder;
        FolderPath = folderPath;
        Tokens = data.OpenTokens();
        Plan = RunRows.Plan(data.Configuration, Tokens);
    }

    /// <summary>What decides the run's bits.</summary>
    public RunConfiguration Configuration => _data.Configuration;

    /// <summary>The folder to go on in; null where this process never coordinates.</summary>
    public RunFolder? Folder { get; }

    /// <summary>That folder as the user named it.</summary>
    public string? FolderPath { get; }

    /// <summary>All tokens.</summary>
    public TokenFile Tokens { get; }

    /// <summary>What the run computes.</summary>
    public RunPlan Plan { get; }

    /// <summary>Where the tokenizer lies.</summary>
    public string TokenizerPath => TokenizedData.TokenizerPath(_data.FolderPath);

    /// <summary>Puts together what is needed.</summary>
    /// <param name="data">What came from the run. Disposed with this, and when this fails.</param>
    /// <param name="outPath">Folder of a standby; null for another process.</param>
    /// <param name="options">How the run is spread here.</param>
    /// <exception cref="InputException">The folder holds another run.</exception>
    /// <exception cref="StorageException">The disk is full or failed.</exception>
    public static JoinedRun Create(ReceivedData data, string? outPath, RunOptions options)
    {
        RunFolder? folder = null;
        try
        {
            if (outPath is not null)
            {
                folder = RunFolder.Holds(outPath)
                    ? RunFolder.Resume(outPath, data.Configuration, options)
                    : RunFolder.Create(outPath, data.Configuration, options, DateTimeOffset.UtcNow, data.CopyTo, TokenizedData.FileNames);
            }

            return new JoinedRun(data, folder, outPath);
        }
        catch
        {
            folder?.Dispose();
            data.Dispose();
            throw;
        }
    }

    /// <summary>Opens tokenizer and ids for processes that join here. Call it once: the ids' file loses its name.</summary>
    public RunBlobs OpenBlobs()
    {
        var blobs = new RunBlobs(File.Exists(TokenizerPath) ? File.ReadAllBytes(TokenizerPath) : [], TokenizedData.TokensPath(_data.FolderPath));
        _data.UnlinkTokens();
        return blobs;
    }

    /// <summary>Whether this is a standby that knows no state of the run to go back to, and will not before a checkpoint has come.</summary>
    public bool LacksCheckpoint(CheckpointStore checkpoints) =>
        Folder is not null && Configuration.InitialWeightsDigest.Length > 0 && checkpoints.ListSteps().Count == 0;

    /// <summary>The checkpoints of a standby; for another process a place that it never writes to.</summary>
    public CheckpointStore Checkpoints(RunOptions options) =>
        new(DiskFileStore.Instance, Folder?.FolderPath ?? _data.FolderPath, options.CheckpointsKept);

    /// <summary>Fills in the weights before the first step, for a standby that takes over before there is a checkpoint.</summary>
    /// <exception cref="InputException">The run started from a given model, which only the process that started it has, and its first checkpoint has not come.</exception>
    public void FillInitialWeights(ParameterLayout layout, Span<float> weights)
    {
        if (Configuration.InitialWeightsDigest.Length > 0)
        {
            throw new InputException(
                "The run started from a given model, and none of its checkpoints has come here yet; go on with `cllm train --resume` where it was started.");
        }

        InitialWeights.Draw(layout, Configuration.Seed, weights);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Tokens.Dispose();
        Folder?.Dispose();
        _data.Dispose();
    }
}
