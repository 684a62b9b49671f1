using Cllm.Actors.Inspection;

namespace Cllm.Tests.Processes;

/// <summary>Processes of a run are killed, the one that coordinates it among them, and a standby goes on. tests/cluster-run does the like at length.</summary>
[Collection("Processes")]
public sealed class TakeoverTests : IDisposable
{
    /// <summary>Sizes at which each of five processes has a part of the parameters.</summary>
    private static readonly string[] Shape =
        ["--tokenizer", "byte", "--layers", "2", "--width", "64", "--heads", "4", "--block", "32", "--batch", "4", "--leaves", "4", "--eval-every", "0"];

    /// <summary>Half of what a takeover usually takes, and yet more patience with a busy machine than that has with a lost process.</summary>
    private static readonly (string Name, string Value)[] Hasty =
    [
        ("AKKA__CLUSTER__FAILURE_DETECTOR__ACCEPTABLE_HEARTBEAT_PAUSE", "5s"), ("AKKA__CLUSTER__SPLIT_BRAIN_RESOLVER__STABLE_AFTER", "5s"),
        ("CLLM__ANNOUNCE", "1s"), ("CLLM__SETTLE", "3s"),
    ];

    private readonly TrainingFolder _folder = new();
    private readonly string _address = Child.FreeAddress();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// Three of five processes are killed at once, so some part of the state is lost with its copy: the run goes back to the only checkpoint that there is, that of its beginning. The model
    /// itself is gone by then, as if it had been on the machine that was lost.
    /// </summary>
    [Fact]
    public async Task A_standby_goes_on_with_a_run_whose_given_model_is_lost_with_its_first_process()
    {
        Child.Run(_folder.Begin("model", [.. Shape, "--steps", "5", "--workers", "1"])).Well();
        string[] run = ["--init", _folder.At("model"), "--steps", "400", "--batch", "4", "--leaves", "4", "--eval-every", "0", "--checkpoint-every", "0", "--workers", "1"];
        Child.Run(_folder.Begin("whole", run)).Well();
        string metrics = Child.FreeAddress();
        using var first = Child.Start(
            Hasty, _folder.Begin("first", [.. run, "--listen", _address, "--standbys", "2", "--wait-for-nodes", "5", "--metrics-listen", metrics]));
        using var second = Standby("second");
        using var third = Standby("third");
        using var fourth = Node();
        using var fifth = Node();
        first.WaitFor("step 1 ");
        Directory.Delete(_folder.At("model"), recursive: true);

        // From here on nothing happens by itself: the run stands still until its process is killed, and its successor knows of no pause.
        using var client = new HttpClient { BaseAddress = new Uri($"http://{metrics}") };
        using HttpResponseMessage answer = await client.PostAsync("/pause", null);
        Assert.True(answer.IsSuccessStatusCode);
        second.WaitFor("the checkpoint of step 0 is here");
        third.WaitFor("the checkpoint of step 0 is here");
        first.Send(Child.Kill);
        fourth.Send(Child.Kill);
        fifth.Send(Child.Kill);

        Ended[] ended = [second.Wait().Well(), third.Wait().Well()];
        int successor = Array.FindIndex(ended, end => end.Output.Contains("this process coordinates the run from now on", StringComparison.Ordinal));
        Assert.Contains("back at step 0 from step ", ended[successor].Output, StringComparison.Ordinal);
        Assert.Equal(_folder.Digest("whole"), _folder.Digest(successor == 0 ? "second" : "third"));
    }

    /// <summary>All steps are done when the disk turns out to be full: a standby writes checkpoint and model to its own.</summary>
    [TmpfsFact]
    public void A_run_whose_first_process_has_no_room_for_its_end_ends_at_a_standby()
    {
        string[] run = [.. TrainingFolder.Odd, "--steps", "100", "--checkpoint-every", "0", "--workers", "1"];
        Child.Run(_folder.Begin("whole", run)).Well();
        Directory.CreateDirectory(_folder.At("disk"));
        using var first = Child.Shell(
            """
            program=$1 disk=$2; shift 2
            export program disk
            exec unshare --user --map-root-user --mount sh -c '
                mount -t tmpfs -o size=100k tmpfs "$disk" || exit 99
                exec dotnet "$program" "$@"' sh "$@"
            """,
            [Child.Program, _folder.At("disk"), .. _folder.Begin("disk/run", [.. run, "--listen", _address, "--standbys", "2", "--metrics-listen", "127.0.0.1:0"])]);
        using var second = Standby("second");
        using var third = Standby("third");

        Ended failed = first.Wait();
        Assert.Equal(1, failed.Code);
        Assert.EndsWith("; a standby goes on with the run.", failed.Sentence(), StringComparison.Ordinal);
        string said = second.Wait().Well().Output + third.Wait().Well().Output;
        Assert.Contains("this process coordinates the run from now on", said, StringComparison.Ordinal);
        Assert.Contains($"digest of the weights  {_folder.Digest("whole")}", said, StringComparison.Ordinal);
        Assert.True(File.Exists(_folder.At("second/model.safetensors")) ^ File.Exists(_folder.At("third/model.safetensors")));
    }

    [Fact]
    public async Task A_first_process_that_is_drained_leaves_the_run_to_a_standby()
    {
        string[] run = [.. Shape, "--steps", "2000", "--checkpoint-every", "0", "--workers", "1"];
        Child.Run(_folder.Begin("whole", run)).Well();
        string metrics = Child.FreeAddress();
        using var first = Child.Start(
            Hasty, _folder.Begin("first", [.. run, "--listen", _address, "--standbys", "2", "--metrics-listen", metrics]));
        using var second = Standby("second");
        using var third = Standby("third");
        first.WaitFor("step 1 ");
        using var client = new HttpClient { BaseAddress = new Uri($"http://{metrics}") };

        RunView seen = RunViewJson.Read(await client.GetStringAsync("/status"))!;

        using HttpResponseMessage answer = await client.PostAsync($"/drain?node={seen.Coordinator}", null);

        Assert.True(answer.IsSuccessStatusCode);
        Assert.EndsWith(
            "Drained: the run goes on without this process; whoever coordinates it writes its checkpoints and its model from now on.",
            first.Wait().Well().Output.TrimEnd(), StringComparison.Ordinal);
        string said = second.Wait().Well().Output + third.Wait().Well().Output;
        Assert.Contains("this process coordinates the run from now on", said, StringComparison.Ordinal);
        Assert.DoesNotContain("back at step", said, StringComparison.Ordinal);
        Assert.Contains($"digest of the weights  {_folder.Digest("whole")}", said, StringComparison.Ordinal);
    }

    private Child Standby(string name) => Child.Start(Hasty, "node", "--join", _address, "--workers", "1", "--standby", "--out", _folder.At(name));

    private Child Node() => Child.Start(Hasty, "node", "--join", _address, "--workers", "1");
}
