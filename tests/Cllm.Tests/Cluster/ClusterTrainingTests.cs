using Cllm.Actors.Local;
using Cllm.Protocol.Coordination;
using Cllm.Tests.Actors;

namespace Cllm.Tests.Cluster;

public sealed class ClusterTrainingTests
{
    private const long Steps = 8;

    private static readonly Lazy<string> Expected = new(() => TestNode.ExpectedDigest(Steps));

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(2, 3)]
    public async Task Any_number_of_processes_ends_with_the_same_bits(int processes, int workers)
    {
        await using var first = TestNode.Start(Steps, workers: workers, change: settings => settings with { WorkersToStart = processes * workers });
        var others = Enumerable.Range(1, processes - 1).Select(_ => TestNode.Start(Steps, first, workers)).ToArray();
        try
        {
            var end = await first.EndAsync();
            Assert.Equal(new TrainingEnd(Steps, RunOutcome.Finished, $"all {Steps} steps are done"), end);
            Assert.Equal(Expected.Value, first.Digest);
            Assert.Equal(Enumerable.Range(0, (int)Steps).Select(step => (long)step), first.Observer.Steps.Select(step => step.Step));
            foreach (var other in others)
            {
                Assert.Equal(RunOutcome.Finished, (await other.EndAsync(10)).Outcome);
            }
        }
        finally
        {
            foreach (var other in others)
            {
                await other.DisposeAsync();
            }
        }
    }
}
