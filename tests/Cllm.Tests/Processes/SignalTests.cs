namespace Cllm.Tests.Processes;

/// <summary>Ctrl-C and SIGTERM on the real program.</summary>
[Collection("Processes")]
public sealed class SignalTests : IDisposable
{
    private const int Interrupted = 130;

    private static readonly string[] Small = [.. TrainingFolder.Odd, "--steps", "1200", "--checkpoint-every", "0", "--workers", "2"];

    /// <summary>A step takes seconds, so that a second signal comes within the one that the first asked to finish.</summary>
    private static readonly string[] Slow =
    [
        "--tokenizer", "byte", "--layers", "6", "--width", "256", "--heads", "4", "--block", "128", "--batch", "64", "--leaves", "4",
        "--workers", "1",
    ];

    private readonly TrainingFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_stop_leaves_a_checkpoint_from_which_the_run_ends_with_the_same_bits()
    {
        Child.Run(_folder.Begin("whole", Small)).Well();
        StopAt("step 50 ", Child.Interrupt, _folder.Begin("parts", Small));
        StopAt("step 500 ", Child.Terminate, _folder.Resume("parts", "--workers", "3"));
        Child.Run(_folder.Resume("parts", "--workers", "5")).Well();
        Assert.Equal(_folder.Digest("whole"), _folder.Digest("parts"));
        Assert.Equal(1200, _folder.Metrics("parts").Count);
    }

    [Fact]
    public void A_second_Ctrl_C_leaves_at_once()
    {
        using var child = Child.Start(_folder.Begin("slow", [.. Slow, "--val-fraction", "0", "--steps", "50"]));
        child.WaitFor("step 1 ");
        child.Send(Child.Interrupt);
        child.WaitFor("Stopping after this step, with a checkpoint. Ctrl-C again leaves at once.");
        child.Send(Child.Interrupt);
        Ended ended = child.Wait();
        Assert.Equal((Interrupted, ""), (ended.Code, ended.Error));
        Assert.Empty(_folder.Checkpoints("slow"));
        Assert.False(File.Exists(_folder.At("slow/model.safetensors")));
    }

    [Fact]
    public void Ctrl_C_while_a_finished_run_is_measured_leaves_at_once()
    {
        // Most of the built-in stories are held out: measuring them takes half a minute.
        using var child = Child.Start(["train", "--out", _folder.At("measured"), .. Slow, "--steps", "1", "--val-fraction", "0.9", "--eval-every", "0"]);
        child.WaitFor("The model is written.");
        child.Send(Child.Interrupt);
        Assert.Equal(Interrupted, child.Wait().Code);
        Assert.True(File.Exists(_folder.At("measured/model.safetensors")));
    }

    private void StopAt(string line, int signal, string[] args)
    {
        using var child = Child.Start(args);
        child.WaitFor(line);
        child.Send(signal);
        Ended ended = child.Wait();
        Assert.Equal(Interrupted, ended.Code);
        string step = Path.GetFileName(_folder.Checkpoints("parts")[0])["step-".Length..];
        Assert.StartsWith($"Stopped after step {step} of 1200, with a checkpoint; go on with ", ended.Sentence());
        Assert.Equal(int.Parse(step), _folder.Metrics("parts").Count);
    }
}
