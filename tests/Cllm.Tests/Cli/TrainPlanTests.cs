using Cllm.Cli.Train;
using Cllm.Model;
using Cllm.Model.Run;
using Cllm.Model.Shape;

namespace Cllm.Tests.Cli;

public class TrainPlanTests
{
    [Fact]
    public void Without_options_the_plan_is_the_default() => Assert.Equal(Preset.Default, Said.Plan());

    [Fact]
    public void The_seed_preset_has_its_published_shape()
    {
        TrainPlan plan = Said.Plan("--preset", "seed");
        Assert.Equal((1000, 128, 2, 4, 4, 32), (plan.Vocabulary, plan.Width, plan.Layers, plan.Heads, plan.Batch, plan.Block));
    }

    [Fact]
    public void The_shakespeare_cpu_preset_is_the_published_recipe()
    {
        TrainPlan plan = Said.Plan("--preset", "shakespeare-cpu");
        Assert.Equal(("char", 128, 4, 4, 64, 12), (plan.Tokenizer, plan.Width, plan.Layers, plan.Heads, plan.Block, plan.Batch));
        Assert.Equal((2000, 100), (plan.Steps, plan.Warmup));
        Assert.Equal((1e-3, 1e-4, 0.9, 0.99, 0.1, 1.0, 0.0), Optimizer(plan));
    }

    [Fact]
    public void The_shakespeare_preset_is_the_published_recipe()
    {
        TrainPlan plan = Said.Plan("--preset", "shakespeare");
        Assert.Equal(("char", 384, 6, 6, 256, 64), (plan.Tokenizer, plan.Width, plan.Layers, plan.Heads, plan.Block, plan.Batch));
        Assert.Equal(5000, plan.Steps);
        Assert.Equal((1e-3, 1e-4, 0.9, 0.99, 0.1, 1.0, 0.2), Optimizer(plan));
    }

    [Fact]
    public void The_gpt2_preset_has_124_million_parameters()
    {
        TrainPlan plan = Said.Plan("--preset", "gpt2-124m");
        var layout = new ParameterLayout(plan.Shape(plan.Vocabulary));
        Assert.Equal(124_439_808, layout.Parameters);
    }

    [Theory]
    [InlineData("seed")]
    [InlineData("shakespeare-cpu")]
    [InlineData("shakespeare")]
    [InlineData("gpt2-124m")]
    public void A_preset_is_its_own_resolution(string name) => Assert.Equal(Preset.Named(name), Said.Plan("--preset", name));

    [Fact]
    public void An_option_wins_over_the_preset_wherever_it_stands()
    {
        Assert.Equal(7, Said.Plan("--layers", "7", "--preset", "seed").Layers);
        Assert.Equal(Preset.Named("seed") with { Layers = 7 }, Said.Plan("--preset", "seed", "--layers", "7"));
    }

    [Fact]
    public void Every_setting_reaches_the_plan()
    {
        TrainPlan plan = Said.Plan(
            "--tokenizer", "byte", "--vocab", "300", "--val-fraction", "0.25",
            "--layers", "3", "--heads", "2", "--width", "64", "--block", "48",
            "--batch", "10", "--steps", "77", "--lr", "2e-3", "--min-lr", "3e-4", "--warmup", "11",
            "--weight-decay", "0.2", "--beta1", "0.8",
            "--beta2", "0.95", "--eps", "1e-7", "--grad-clip", "0.5",
            "--dropout", "0.1", "--leaves", "5", "--seed", "9", "--order", "sequential",
            "--workers", "3", "--threads-per-worker", "2", "--eval-every", "20", "--eval-batches", "4", "--checkpoint-every", "30");
        Assert.Equal(
            new TrainPlan
            {
                Tokenizer = "byte",
                Vocabulary = 300,
                ValidationFraction = 0.25,
                Layers = 3,
                Heads = 2,
                Width = 64,
                Block = 48,
                Batch = 10,
                Steps = 77,
                LearningRate = 2e-3,
                MinimumLearningRate = 3e-4,
                Warmup = 11,
                WeightDecay = 0.2,
                Beta1 = 0.8,
                Beta2 = 0.95,
                Epsilon = 1e-7,
                GradientClip = 0.5,
                Dropout = 0.1,
                Leaves = 5,
                Seed = 9,
                Order = "sequential",
                Workers = 3,
                ThreadsPerWorker = 2,
                EvaluateEvery = 20,
                EvaluationBatches = 4,
                CheckpointEvery = 30,
            },
            plan);
        Assert.Equal(typeof(TrainPlan).GetProperties().Length, new TrainSettings().All.Count);
    }

    [Fact]
    public void What_is_left_open_follows_what_is_given()
    {
        Assert.Equal(3e-5, Said.Plan("--lr", "3e-4").MinimumLearningRate, 12);
        Assert.Equal(5, Said.Plan("--steps", "50").Warmup);
        Assert.Equal(100, Said.Plan("--steps", "50000").Warmup);
        Assert.Equal(2, Said.Plan("--batch", "2").Leaves);
        Assert.Equal(0, Said.Plan("--val-fraction", "0").EvaluateEvery);
    }

    [Theory]
    [InlineData("--leaves is 9 and --batch has only 8 rows", "--leaves", "9", "--batch", "8")]
    [InlineData("7 heads do not divide a width of 192", "--heads", "7")]
    [InlineData("--min-lr is 0.01 and lies above --lr 0.001", "--min-lr", "0.01")]
    [InlineData("--warmup is 6 and the run has only 5 steps", "--warmup", "6", "--steps", "5")]
    [InlineData("--eval-every needs held-out text", "--val-fraction", "0", "--eval-every", "5")]
    [InlineData("This shape has", "--width", "65536", "--heads", "64")]
    [InlineData("--batch 65536 of --block 32768 tokens", "--batch", "65536", "--leaves", "65536", "--block", "32768")]
    [InlineData("2048 rows of 1024 tokens and width 768", "--batch", "2048", "--leaves", "1", "--block", "1024", "--width", "768")]
    public void Settings_that_contradict_each_other_are_refused(string beginning, params string[] args)
    {
        InputException refusal = Assert.Throws<InputException>(() => Said.Plan(args));
        Assert.StartsWith(beginning, refusal.Message);
    }

    [Fact]
    public void A_given_model_decides_the_shape()
    {
        TrainRequest request = Said.Train("--init", "gpt2", "--heads", "6", "--lr", "3e-5");
        TrainPlan plan = request.Settings.Resolve(request, new GptShape(300, 48, 3, 6, 66));
        Assert.Equal((300, 48, 3, 6, 66), (plan.Vocabulary, plan.Block, plan.Layers, plan.Heads, plan.Width));
        Assert.Equal(3e-5, plan.LearningRate);
    }

    [Fact]
    public void A_shape_that_contradicts_the_given_model_is_refused()
    {
        TrainRequest request = Said.Train("--init", "gpt2", "--layers", "4");
        InputException refusal = Assert.Throws<InputException>(() => request.Settings.Resolve(request, new GptShape(300, 48, 3, 6, 66)));
        Assert.Equal("--layers is 4 and the model in gpt2 has 3; leave --layers out.", refusal.Message);
    }

    [Theory]
    [InlineData("seed")]
    [InlineData("shakespeare")]
    [InlineData("gpt2-124m")]
    public void A_configuration_leads_back_to_its_plan(string preset)
    {
        TrainPlan plan = Said.Plan("--preset", preset, "--dropout", "0.2", "--order", "sequential") with { Tokenizer = "bpe" };
        Assert.Equal(plan, TrainPlan.Of(Configure(plan)) with { CheckpointEvery = plan.CheckpointEvery });
    }

    [Fact]
    public void The_same_options_resume_a_run_and_workers_may_change()
    {
        string[] args = ["--steps", "300", "--warmup", "70", "--preset", "seed"];
        TrainPlan started = TrainPlan.Of(Configure(Said.Plan(args)));
        TrainPlan resumed = Resume(started, [.. args, "--workers", "5", "--resume"]);
        Assert.Equal(started with { Workers = 5, CheckpointEvery = resumed.CheckpointEvery }, resumed);
        Assert.Equal(started, Resume(started, "--resume"));
        Assert.Equal(started, Resume(started, "--resume", "--steps", "300"));
    }

    [Fact]
    public void A_character_run_resumes_with_its_preset_though_its_vocabulary_came_from_the_text()
    {
        TrainPlan started = TrainPlan.Of(Configure(Said.Plan("--preset", "shakespeare-cpu"), vocabulary: 65));
        Assert.Equal(65, Resume(started, "--preset", "shakespeare-cpu", "--resume").Vocabulary);
    }

    [Theory]
    [InlineData("The run in runs/x was started with --steps 1200 and not 300;", "--steps", "300")]
    [InlineData("The run in runs/x was started with --lr 0.001 and not 0.002;", "--lr", "0.002")]
    [InlineData("The run in runs/x was started with --layers 4 and not 2;", "--preset", "seed")]
    public void A_resumed_run_cannot_become_another(string beginning, params string[] args)
    {
        TrainPlan started = TrainPlan.Of(Configure(Said.Plan()));
        InputException refusal = Assert.Throws<InputException>(() => Resume(started, args));
        Assert.StartsWith(beginning, refusal.Message);
    }

    [Theory]
    [InlineData(8, 8, 1)]
    [InlineData(64, 8, 8)]
    [InlineData(2, 2, 1)]
    [InlineData(1, 1, 1)]
    public void Left_open_workers_and_threads_use_all_cores(int cores, int workers, int threads)
    {
        RunOptions spread = Said.Plan().Spread(cores);
        Assert.Equal((workers, threads), (spread.Workers, spread.ThreadsPerWorker));
    }

    [Fact]
    public void Given_workers_or_threads_are_kept()
    {
        Assert.Equal((3, 2), Pair(Said.Plan("--workers", "3").Spread(6)));
        Assert.Equal((2, 3), Pair(Said.Plan("--threads-per-worker", "3").Spread(6)));
        Assert.Equal((5, 7), Pair(Said.Plan("--workers", "5", "--threads-per-worker", "7").Spread(2)));
        static (int, int) Pair(RunOptions options) => (options.Workers, options.ThreadsPerWorker);
    }

    private static TrainPlan Resume(TrainPlan started, params string[] args)
    {
        TrainRequest request = Said.Train(args);
        return request.Settings.Resume(started, request, "runs/x");
    }

    private static RunConfiguration Configure(TrainPlan plan, int? vocabulary = null) =>
        plan.Configure(vocabulary ?? plan.Vocabulary, plan.Tokenizer, "t", "d", "");

    private static (double, double, double, double, double, double, double) Optimizer(TrainPlan plan) => (
        plan.LearningRate, plan.MinimumLearningRate, plan.Beta1, plan.Beta2, plan.WeightDecay, plan.GradientClip, plan.Dropout);
}
