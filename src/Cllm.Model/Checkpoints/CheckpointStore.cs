using System.Globalization;
using Cllm.Model.Files;
using Cllm.Model.Shape;

namespace Cllm.Model.Checkpoints;

/// <summary>
/// The checkpoints of a run, in checkpoints/step-N. One is there whole or not at all, through crashes, power loss and full disks, and
/// is believed only after every byte of it has been verified. One process at a time writes; the run's lock sees to that. Another process of the
/// run may copy them into a folder of its own.
/// </summary>
public sealed class CheckpointStore
{
    private const string FolderName = "checkpoints";
    private const string StepPrefix = "step-";

    private readonly IFileStore _store;
    private readonly string _folder;
    private readonly int _kept;

    /// <summary>Names the checkpoints of a run; touches no file.</summary>
    /// <param name="store">Where they lie.</param>
    /// <param name="runFolder">The run's folder.</param>
    /// <param name="kept">How many stay, newest first; at least 1.</param>
    public CheckpointStore(IFileStore store, string runFolder, int kept)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(kept, 1);
        _store = store;
        _folder = Path.Combine(Path.GetFullPath(runFolder), FolderName);
        _kept = kept;
    }

    /// <summary>The folder of the checkpoint after <paramref name="step"/> steps.</summary>
    public string PathOf(long step) => Path.Combine(_folder, StepPrefix + step.ToString(CultureInfo.InvariantCulture));

    /// <summary>The steps that have a checkpoint, oldest first. None of them has been verified.</summary>
    public IReadOnlyList<long> ListSteps() => [.. _store.List(_folder).Select(StepOf).OfType<long>().Order()];

    /// <summary>Removes what writers that were killed left behind. Call it only as the run's one writer.</summary>
    public void RemoveLeftovers()
    {
        foreach (string name in _store.List(_folder).Where(n => n.EndsWith(AtomicFile.TemporarySuffix, StringComparison.Ordinal)))
        {
            _store.Delete(Path.Combine(_folder, name));
        }
    }

    /// <summary>
    /// Writes a checkpoint, then deletes the oldest beyond the number to keep. When it returns, the checkpoint lasts through a power loss;
    /// when it throws, the checkpoints are those from before.
    /// </summary>
    /// <exception cref="StorageException">The disk is full or failed.</exception>
    public void Write(in CheckpointContent content)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(content.Weights.Length, content.Layout.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(content.M.Length, content.Layout.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(content.V.Length, content.Layout.Length);
        RemoveLeftovers();
        if (!Holds(content))
        {
            using var folder = AtomicFolder.Begin(_store, PathOf(content.Step));
            CheckpointFolder.Write(_store, folder.TemporaryPath, content);
            folder.Commit();
        }

        Prune(content.Step);
    }

    /// <summary>
    /// Reads the newest checkpoint that stands every check. For each newer one that does not, <paramref name="warn"/> gets a sentence.
    /// </summary>
    /// <param name="layout">The run's layout.</param>
    /// <param name="configurationDigest">Digest of the run's configuration.</param>
    /// <param name="weights">Gets the flat parameter vector.</param>
    /// <param name="m">Gets Adam's first moments.</param>
    /// <param name="v">Gets Adam's second moments.</param>
    /// <param name="warn">Hears of damaged checkpoints.</param>
    /// <returns>How many steps had been committed; null, with the vectors unspecified, when there is no valid checkpoint.</returns>
    /// <exception cref="InputException">The newest intact checkpoint belongs to a run of another configuration.</exception>
    public long? ReadNewest(
        ParameterLayout layout, string configurationDigest, Span<float> weights, Span<float> m, Span<float> v, Action<string> warn)
    {
        foreach (long step in ListSteps().Reverse())
        {
            if (TryRead(step, layout, configurationDigest, weights, m, v, warn))
            {
                return step;
            }
        }

        return null;
    }

    /// <summary>The content of a checkpoint's state.json, with which another process can copy it; null when there is none that stands the check.</summary>
    public byte[]? StateOf(long step)
    {
        try
        {
            return ListSteps().Contains(step) && CheckpointFolder.ReadState(_store, PathOf(step), out byte[] content).Step == step ? content : null;
        }
        catch (InputException)
        {
            return null;
        }
    }

    /// <summary>Opens one of a checkpoint's files, for a process that copies it.</summary>
    /// <exception cref="InputException">It is not there, or not any more.</exception>
    public IFileReader OpenFile(long step, string name) => _store.OpenRead(Path.Combine(PathOf(step), name));

    /// <summary>Begins to copy a checkpoint from another process of the run. Call it only as the run's one writer in this folder.</summary>
    /// <param name="step">The steps that it is said to be after.</param>
    /// <param name="content">Its state.json, as <see cref="StateOf"/> has it there.</param>
    /// <param name="layout">The run's layout.</param>
    /// <param name="configurationDigest">Digest of the run's configuration.</param>
    /// <returns>The copy, to be filled; null when that checkpoint is here already, every byte of it.</returns>
    /// <exception cref="InputException">It is not a checkpoint of this run after so many steps.</exception>
    /// <exception cref="StorageException">The disk is full or failed.</exception>
    public CheckpointCopy? BeginCopy(long step, byte[] content, ParameterLayout layout, string configurationDigest)
    {
        var state = CheckpointFolder.ParseState($"The state of the checkpoint of step {step}", content);
        string? difference = state.Step == step ? Difference(state, layout, configurationDigest) : $"it is of step {state.Step}";
        if ((difference ?? CheckpointCopy.Difference(state, layout)) is { } fault)
        {
            throw new InputException($"What is offered as the checkpoint of step {step} is none of this run: {fault}; see who takes part in it.");
        }

        if (Holds(step, here => here.WeightsDigest == state.WeightsDigest && here.OptimizerDigest == state.OptimizerDigest))
        {
            return null;
        }

        RemoveLeftovers();
        return new CheckpointCopy(_store, AtomicFolder.Begin(_store, PathOf(step)), state, content, () => Prune(step));
    }

    private CheckpointState ReadState(long step)
    {
        string path = PathOf(step);
        var state = CheckpointFolder.ReadState(_store, path);
        return state.Step == step
            ? state
            : throw new InputException($"{path} holds the checkpoint of step {state.Step}; give the folder its name back.");
    }

    private bool TryRead(
        long step, ParameterLayout layout, string configurationDigest,
        Span<float> weights, Span<float> m, Span<float> v, Action<string> warn)
    {
        string path = PathOf(step);
        string? difference;
        try
        {
            var state = ReadState(step);
            difference = Difference(state, layout, configurationDigest);
            if (difference is null)
            {
                CheckpointFolder.Load(_store, path, state, layout, weights, m, v);
                return true;
            }
        }
        catch (InputException e)
        {
            warn($"Checkpoint {StepPrefix}{step} is damaged and is passed over: {e.Message}");
            return false;
        }

        // A checkpoint of another run is not passed over: going on from an older one would hide the mistake.
        throw new InputException($"{path} is a checkpoint of another run: {difference}; choose this run's own folder.");
    }

    private static string? Difference(CheckpointState state, ParameterLayout layout, string configurationDigest)
    {
        if (state.Shape != layout.Shape)
        {
            return $"its model is {state.Shape} there and {layout.Shape} here";
        }

        return state.ConfigurationDigest == configurationDigest
            ? null
            : $"the digest of its configuration is {state.ConfigurationDigest} there and {configurationDigest} here";
    }

    // A run that went back past a damaged checkpoint comes to the same step again; an intact one needs no second writing.
    private bool Holds(in CheckpointContent content)
    {
        if (!ListSteps().Contains(content.Step))
        {
            return false;
        }

        string configuration = content.ConfigurationDigest;
        string weights = Digest.Weights(content.Layout, content.Weights);
        string optimizer = Digest.Optimizer(content.Layout, content.M, content.V);
        return Holds(content.Step, here =>
            here.ConfigurationDigest == configuration && here.WeightsDigest == weights && here.OptimizerDigest == optimizer);
    }

    private bool Holds(long step, Func<CheckpointState, bool> isIt)
    {
        try
        {
            return ListSteps().Contains(step) && isIt(ReadState(step)) && CheckpointFolder.Verify(_store, PathOf(step)).Step == step;
        }
        catch (InputException)
        {
            return false;
        }
    }

    // Newer ones than the one just written are left: they were passed over as damaged, and count for nothing.
    private void Prune(long newest)
    {
        foreach (long step in ListSteps().Where(s => s <= newest).Reverse().Skip(_kept))
        {
            // Renamed first, so that a crash amid the deletion leaves a leftover and not a damaged checkpoint.
            string leftover = PathOf(step) + AtomicFile.TemporarySuffix;
            _store.Rename(PathOf(step), leftover);
            _store.Delete(leftover);
        }
    }

    private static long? StepOf(string name) =>
        name.StartsWith(StepPrefix, StringComparison.Ordinal)
        && long.TryParse(name.AsSpan(StepPrefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out long step)
        && name == StepPrefix + step.ToString(CultureInfo.InvariantCulture)
            ? step
            : null;
}
