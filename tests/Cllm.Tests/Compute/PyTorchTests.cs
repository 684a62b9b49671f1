using System.Runtime.InteropServices;
using System.Text.Json;
using Cllm.Model.Compute;
using Cllm.Model.Files;
using Cllm.Model.HuggingFace;
using Cllm.Model.Run;
using Cllm.Model.Shape;

namespace Cllm.Tests.Compute;

/// <summary>Whole training steps against PyTorch in double precision; <c>Reference/make_gpt2_vectors.py</c> is the recipe of the sets.</summary>
public sealed class PyTorchTests
{
    public static TheoryData<string, int, int> Sets => new()
    {
        { "gpt2-tiny", 1, 1 }, { "gpt2-tiny", 4, 2 }, { "gpt2-odd", 1, 1 }, { "gpt2-odd", 5, 3 },
    };

    [Theory]
    [MemberData(nameof(Sets))]
    public void Every_gradient_of_the_first_batch_agrees(string set, int leaves, int threads)
    {
        RunPlan plan = PlanOf(set, leaves);
        using TinyRun run = Start(set, plan, threads);
        using var worker = new WorkerCompute(plan, run.State, threads);
        worker.ReleaseBuffers();
        float[] gradient = worker.Buffer(worker.ComputeNode(0, plan.Leaves.RootLevel, 0, new double[leaves])).ToArray();
        AssertTensorsAgree(set, "gradients.safetensors", plan.Layout, gradient, 1e-5);
    }

    [Theory]
    [MemberData(nameof(Sets))]
    public void Every_loss_norm_and_rate_and_the_trained_weights_agree(string set, int leaves, int threads)
    {
        RunPlan plan = PlanOf(set, leaves);
        using TinyRun run = Start(set, plan, threads);
        foreach (JsonElement row in Expected(set).GetProperty("rows").EnumerateArray())
        {
            StepScalars scalars = run.Step(row.GetProperty("step").GetInt64());
            Assert.Equal(row.GetProperty("loss").GetDouble(), scalars.Loss, 1e-5);
            Assert.Equal(row.GetProperty("grad_norm").GetDouble(), scalars.GradientNorm, 1e-5);
            Assert.Equal(row.GetProperty("lr").GetDouble(), scalars.LearningRate, 1e-12);
        }

        AssertTensorsAgree(set, "trained.safetensors", plan.Layout, run.State.Weights.Span.ToArray(), 1e-4);
    }

    private static string PathOf(string set, string file) => Path.Combine(AppContext.BaseDirectory, "Reference", set, file);

    private static JsonElement Expected(string set) => JsonDocument.Parse(File.ReadAllBytes(PathOf(set, "expected.json"))).RootElement;

    private static RunPlan PlanOf(string set, int leaves)
    {
        GptShape shape = HuggingFaceFolder.Read(PathOf(set, ""));
        JsonElement e = Expected(set);
        int batch = e.GetProperty("batch").GetInt32();
        var tokens = MemoryMarshal.Cast<byte, ushort>(File.ReadAllBytes(PathOf(set, "tokens.bin"))).ToArray();
        RunConfiguration configuration = TinyRun.Configuration(shape, batch, leaves, 0, e.GetProperty("steps").GetInt64()) with
        {
            Optimizer = new OptimizerConfiguration
            {
                LearningRate = e.GetProperty("peak_lr").GetDouble(),
                MinimumLearningRate = e.GetProperty("min_lr").GetDouble(),
                WarmupSteps = e.GetProperty("warmup_steps").GetInt64(),
                WeightDecay = e.GetProperty("weight_decay").GetDouble(),
                Beta1 = e.GetProperty("beta1").GetDouble(),
                Beta2 = e.GetProperty("beta2").GetDouble(),
                Epsilon = e.GetProperty("eps").GetDouble(),
                GradientClip = e.GetProperty("grad_clip").GetDouble(),
            },
        };
        void Read(long step, int row, Span<int> destination)
        {
            long start = ((step * batch) + row) * shape.Block;
            for (int i = 0; i < destination.Length; i++)
            {
                destination[i] = tokens[start + i];
            }
        }

        return new RunPlan(configuration, Read, 0, (_, _) => throw new InvalidOperationException("there are no held-out rows"));
    }

    private static TinyRun Start(string set, RunPlan plan, int threads)
    {
        var run = new TinyRun(plan, Math.Min(2, plan.Configuration.Leaves), threads, shards: 2);
        HuggingFaceFolder.LoadWeights(PathOf(set, ""), plan.Layout, run.State.Weights.Span);
        return run;
    }

    private static void AssertTensorsAgree(string set, string file, ParameterLayout layout, float[] actual, double tolerance)
    {
        using var reader = SafetensorsReader.Open(PathOf(set, file));
        foreach (TensorSpec tensor in layout.Tensors)
        {
            var expected = new float[tensor.Length];
            reader.Read(reader.Find(tensor.Name)!, expected);
            double difference = 0, norm = 0;
            for (int i = 0; i < expected.Length; i++)
            {
                difference += Math.Pow((double)actual[tensor.Offset + i] - expected[i], 2);
                norm += Math.Pow(expected[i], 2);
            }

            double relative = Math.Sqrt(difference / norm);
            Assert.True(relative <= tolerance, $"{tensor.Name}: relative error {relative:E2}");
        }
    }
}
