using Cllm.Model.Files;
using Microsoft.Win32.SafeHandles;

namespace Cllm.Model.Run;

/// <summary>
/// A run's folder, held by this process alone: run.json, metrics.jsonl, checkpoints and the finished model. While it is open no other
/// process can train in it; the lock ends with the process, however that ends.
/// </summary>
public sealed class RunFolder : IDisposable
{
    /// <summary>The file with the run's description.</summary>
    public const string DescriptionName = "run.json";

    private const string MetricsName = "metrics.jsonl";
    private const string LockName = "run.lock";
    private const int DescriptionBytesMax = 1 << 20;

    private readonly SafeFileHandle _lock;

    private RunFolder(string path, SafeFileHandle @lock, RunDescription description)
    {
        FolderPath = path;
        _lock = @lock;
        Description = description;
        ConfigurationDigest = Run.ConfigurationDigest.Of(description.Configuration);
    }

    /// <summary>The folder's full path.</summary>
    public string FolderPath { get; }

    /// <summary>What run.json says.</summary>
    public RunDescription Description { get; }

    /// <summary>Digest of the run's configuration.</summary>
    public string ConfigurationDigest { get; }

    /// <summary>Path of metrics.jsonl.</summary>
    public string MetricsPath => Path.Combine(FolderPath, MetricsName);

    /// <summary>Whether there is a run in that folder.</summary>
    public static bool Holds(string path) => File.Exists(Path.Combine(path, DescriptionName));

    /// <summary>Reads run.json without opening the run: another process may be training in it.</summary>
    /// <exception cref="InputException">There is no run, or run.json is damaged.</exception>
    public static RunDescription Read(string path)
    {
        string file = Path.Combine(path, DescriptionName);
        if (!File.Exists(file))
        {
            throw new InputException($"There is no run in {path}: it has no {DescriptionName}; check the path, or start a run there.");
        }

        using var reader = DiskFileStore.Instance.OpenRead(file);
        if (reader.Length > DescriptionBytesMax)
        {
            throw new InputException($"{file} has {reader.Length} bytes, more than any {DescriptionName}; restore it from a copy.");
        }

        byte[] content = new byte[reader.Length];
        reader.Read(0, content);
        return RunDescription.Parse(file, content);
    }

    /// <summary>Starts a run in a folder that is new or empty.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="configuration">What determines the run's bits.</param>
    /// <param name="options">What does not.</param>
    /// <param name="now">The time to note in run.json.</param>
    /// <param name="fill">
    /// Puts what the run cannot do without into the folder, whose full path it gets. Done before run.json is written, which makes the folder
    /// a run: a process killed in between leaves a folder in which the run can be started again.
    /// </param>
    /// <param name="filled">Names of the files that <paramref name="fill"/> puts there.</param>
    /// <exception cref="InputException">The folder holds a run or a stranger's files, or another process is training in it.</exception>
    /// <exception cref="StorageException">The disk is full or failed.</exception>
    public static RunFolder Create(
        string path, RunConfiguration configuration, RunOptions options, DateTimeOffset now, Action<string> fill, params string[] filled)
    {
        string full = Path.GetFullPath(path);
        RequireNoOtherRun(full, path, configuration, filled);
        DiskFileStore.Instance.CreateFolder(full);
        var description = new RunDescription
        {
            Configuration = configuration,
            Options = options,
            ProgramVersion = ProgramVersion.Program,
            DotnetVersion = ProgramVersion.Dotnet,
            Created = now,
        };
        return Hold(full, path, () =>
        {
            // Asked again under the lock: another process may have started a run in between.
            RequireNoOtherRun(full, path, configuration, filled);
            fill(full);
            return description;
        });
    }

    /// <summary>Opens a run to go on with it; its options become the given ones.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="configuration">What the run must have been started with.</param>
    /// <param name="options">What may differ from before.</param>
    /// <exception cref="InputException">There is no run, it has another configuration, or another process trains in it.</exception>
    /// <exception cref="StorageException">The disk is full or failed.</exception>
    public static RunFolder Resume(string path, RunConfiguration configuration, RunOptions options)
    {
        Read(path);
        return Hold(Path.GetFullPath(path), path, () =>
        {
            var description = Read(path);
            string? difference = RunDifference.Describe(description.Configuration, configuration);
            return difference is null
                ? description with { Options = options }
                : throw new InputException(
                    $"The run in {path} is another one: {difference}; give --resume the options it was started with.");
        });
    }

    /// <summary>Lets another process have the run.</summary>
    public void Dispose() => _lock.Dispose();

    private static RunFolder Hold(string full, string path, Func<RunDescription> describe)
    {
        var handle = Lock(full, path);
        try
        {
            var description = describe();
            AtomicFile.Write(DiskFileStore.Instance, Path.Combine(full, DescriptionName), description.ToBytes());
            return new RunFolder(full, handle, description);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    // The file stays when the run ends: removing it would let two processes hold locks on two files of one name.
    private static SafeFileHandle Lock(string full, string path)
    {
        string file = Path.Combine(full, LockName);
        try
        {
            return File.OpenHandle(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (IsHeld(e))
        {
            throw new InputException($"Another process is training in {path}; stop it, or choose another --out.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StorageException.While(file, e);
        }
    }

    private static bool IsHeld(IOException e)
    {
        const int SharingViolationOnWindows = unchecked((int)0x80070020);
        const int WouldBlockOnLinux = 11;
        const int WouldBlockOnMac = 35;
        return e.HResult is SharingViolationOnWindows or WouldBlockOnLinux or WouldBlockOnMac;
    }

    private static void RequireNoOtherRun(string full, string path, RunConfiguration configuration, string[] filled)
    {
        if (Holds(full))
        {
            string? difference = RunDifference.Describe(Read(full).Configuration, configuration);
            throw new InputException(difference is null
                ? $"{path} holds this run already; go on with it with --resume, or choose another --out."
                : $"{path} holds another run: {difference}; choose another --out.");
        }

        NamedFolder.RequireNoFile(path, "--out");

        // A process killed while it started a run leaves these and nothing else, and the lock first of them.
        string[] left = File.Exists(Path.Combine(full, LockName)) ? [DescriptionName, .. filled] : [];
        string? stranger = DiskFileStore.Instance.List(full)
            .FirstOrDefault(n => n != LockName && !left.Contains(n) && !left.Any(l => n == l + AtomicFile.TemporarySuffix));
        if (stranger is not null)
        {
            throw new InputException($"{path} is no run's folder and is not empty ({stranger}); choose another --out.");
        }
    }
}
