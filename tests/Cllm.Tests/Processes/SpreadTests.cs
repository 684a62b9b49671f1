using Cllm.Actors.Inspection;

namespace Cllm.Tests.Processes;

/// <summary>How the real program spreads a run over the threads that it is given.</summary>
[Collection("Processes")]
public sealed class SpreadTests : IDisposable
{
    private readonly TrainingFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Each_thread_has_a_shard_also_where_several_belong_to_one_worker()
    {
        string metrics = Child.FreeAddress();
        string[] run =
        [
            "--tokenizer", "byte", "--layers", "2", "--width", "64", "--heads", "2", "--block", "8", "--batch", "2", "--leaves", "1", "--eval-every", "0",
            "--steps", "100000", "--checkpoint-every", "0", "--workers", "1", "--threads-per-worker", "3",
        ];
        using var child = Child.Start(_folder.Begin("run", [.. run, "--metrics-listen", metrics]));
        child.WaitFor("step 1 ");
        using var client = new HttpClient { BaseAddress = new Uri($"http://{metrics}") };
        RunView seen = RunViewJson.Read(await client.GetStringAsync("/status"))!;
        Assert.Single(seen.Workers);
        Assert.Equal(3, seen.Shards.Length);
        child.Send(Child.Interrupt);
        child.Wait();
    }
}
