using Cllm.Model.Checkpoints;
using Cllm.Model.Files;
using Cllm.Model.Shape;

namespace Cllm.Tests.Checkpoints;

/// <summary>A very small run whose state after each step is known, to write and read checkpoints of.</summary>
internal sealed class SampleRun(IFileStore store, string folder = "/run", int kept = 2)
{
    public const string ConfigurationDigest = "c0ffee";

    public static readonly ParameterLayout Layout = new(new GptShape(Vocabulary: 5, Block: 3, Layers: 1, Heads: 2, Width: 4));

    public CheckpointStore Checkpoints { get; } = new(store, folder, kept);

    public List<string> Warnings { get; } = [];

    /// <summary>What the run's vector number <paramref name="which"/> is after a step: padding zero, all else different.</summary>
    public static float[] StateAfter(long step, int which)
    {
        var random = new Random((int)step * 3 + which);
        float[] flat = new float[Layout.Length];
        foreach (var tensor in Layout.Tensors)
        {
            foreach (ref float value in flat.AsSpan(tensor.Offset, tensor.Length))
            {
                value = random.NextSingle() - 0.5f;
            }
        }

        return flat;
    }

    public void Write(long step) => Checkpoints.Write(new CheckpointContent
    {
        Step = step,
        Layout = Layout,
        ConfigurationDigest = ConfigurationDigest,
        Weights = StateAfter(step, 0),
        M = StateAfter(step, 1),
        V = StateAfter(step, 2),
    });

    /// <summary>Reads the newest checkpoint and checks that what it gave is exactly the state after its step.</summary>
    public long? ReadNewest()
    {
        float[][] state = [.. Enumerable.Range(0, 3).Select(_ => new float[Layout.Length])];
        Warnings.Clear();
        long? step = Checkpoints.ReadNewest(Layout, ConfigurationDigest, state[0], state[1], state[2], Warnings.Add);
        if (step is { } read)
        {
            for (int i = 0; i < 3; i++)
            {
                Assert.Equal(StateAfter(read, i), state[i]);
            }
        }

        return step;
    }
}
