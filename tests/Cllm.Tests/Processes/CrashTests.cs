namespace Cllm.Tests.Processes;

/// <summary>What no process can prepare for: kill -9 at any moment, a pause longer than every deadline, a checkpoint that rots.</summary>
[Collection("Processes")]
public sealed class CrashTests : IDisposable
{
    private const string EveryFewSteps = "7";
    private static readonly int[] Workers = [1, 2, 3, 5, 8];

    private readonly TrainingFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_run_killed_again_and_again_ends_with_the_bits_of_one_that_was_not()
    {
        Child.Run(Begin("whole")).Well();
        var random = new Random();
        for (int kill = 0; kill < 6; kill++)
        {
            using var child = Child.Start(_folder.Holds("parts") ? Resume("parts", Workers[kill % Workers.Length]) : Begin("parts"));
            string checkpoints = _folder.At("parts/checkpoints");
            if (kill % 2 == 1 && Directory.Exists(checkpoints))
            {
                WaitForChanges(checkpoints, 1 + random.Next(20));
            }
            else
            {
                WaitForLines(child, 1 + random.Next(8));
            }

            // Lines and folders appear at the same few places in the code; the kill is to come anywhere.
            Thread.SpinWait(random.Next(200_000));
            child.Send(Child.Kill);
            Assert.NotEqual(0, child.Wait().Code);
        }

        Child.Run(_folder.Holds("parts") ? Resume("parts", 3) : Begin("parts")).Well();
        AreTheSame("whole", "parts");
    }

    [Fact]
    public void A_pause_longer_than_every_deadline_changes_no_bit_and_keeps_the_run()
    {
        File.WriteAllText(_folder.At("hasty.hocon"), "cllm.patience = 50ms");
        Child.Run(Begin("whole")).Well();
        using var child = Child.Start(Begin("paused", "--hocon", _folder.At("hasty.hocon")));
        child.WaitFor("step 50 ");
        child.Freeze();
        Ended other = Child.Run(Resume("paused", 2));
        Assert.Equal(2, other.Code);
        Assert.Contains("Another process is training in", other.Sentence());
        child.Send(Child.Continue);
        child.Wait().Well();
        AreTheSame("whole", "paused");
    }

    [Fact]
    public void A_damaged_checkpoint_is_passed_over_with_a_warning_and_the_run_ends_with_the_same_bits()
    {
        Child.Run(Begin("whole")).Well();
        using (var child = Child.Start(Begin("cut")))
        {
            child.WaitFor("step 50 ");
            child.Send(Child.Interrupt);
            Assert.Equal(130, child.Wait().Code);
        }

        var random = new Random();
        Assert.Equal(2, _folder.Checkpoints("cut").Length);
        for (int damage = 0; damage < 3; damage++)
        {
            string run = $"damaged-{damage}";
            Copy(_folder.At("cut"), _folder.At(run));
            string[] steps = [.. _folder.Checkpoints(run).Select(checkpoint => Path.GetFileName(checkpoint))];
            Damage(_folder.Checkpoints(run)[0], damage, random);
            Ended ended = Child.Run(Resume(run, Workers[damage]));
            Assert.Equal(0, ended.Code);
            Assert.StartsWith($"Checkpoint {steps[0]} is damaged and is passed over: ", ended.Sentence());
            Assert.Contains($"Going on after step {steps[1]["step-".Length..]} of ", ended.Output);
            AreTheSame("whole", run);
        }
    }

    private string[] Begin(string run, params string[] more) => _folder.Begin(
        run, [.. TrainingFolder.Odd, "--steps", "1200", "--checkpoint-every", EveryFewSteps, "--workers", "2", .. more]);

    private string[] Resume(string run, int workers) => _folder.Resume(run, "--checkpoint-every", EveryFewSteps, "--workers", $"{workers}");

    private void AreTheSame(string whole, string other)
    {
        Assert.Equal(
            _folder.Metrics(whole).Select(line => (line.Step, line.Loss)), _folder.Metrics(other).Select(line => (line.Step, line.Loss)));
        Assert.Equal(_folder.Digest(whole), _folder.Digest(other));
        Assert.Equal(File.ReadAllBytes(_folder.At($"{whole}/model.safetensors")), File.ReadAllBytes(_folder.At($"{other}/model.safetensors")));
    }

    private static void WaitForLines(Child child, int lines)
    {
        for (int line = 0; line < lines && child.ReadLine() is not null; line++)
        {
        }
    }

    private static void WaitForChanges(string folder, int changes)
    {
        using var watcher = new FileSystemWatcher(folder) { IncludeSubdirectories = true };
        for (int change = 0; change < changes; change++)
        {
            Assert.False(watcher.WaitForChanged(WatcherChangeTypes.All, 60_000).TimedOut, "No checkpoint was written for a minute.");
        }
    }

    private static void Damage(string checkpoint, int kind, Random random)
    {
        string name = kind switch { 0 => "state.json", 1 => "model.safetensors", _ => "optimizer.safetensors" };
        string path = Path.Combine(checkpoint, name);
        byte[] bytes = File.ReadAllBytes(path);
        int place = random.Next(bytes.Length);
        if (kind == 1)
        {
            bytes[place] ^= (byte)(1 << random.Next(8));
            File.WriteAllBytes(path, bytes);
        }
        else
        {
            File.WriteAllBytes(path, bytes[..place]);
        }
    }

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}
