using System.CommandLine;
using Cllm.Model;
using Cllm.Model.Shape;

namespace Cllm.Cli.Train;

/// <summary>
/// All options of `cllm train` that stand for one value of the plan, and how the user's values and a preset's become one plan.
/// </summary>
public sealed class TrainSettings
{
    private const int SizeMax = 1 << 20;
    private const long StepsMax = 1_000_000_000_000;

    /// <summary>The settings, in the order in which help shows them.</summary>
    public IReadOnlyList<Setting> All { get; } =
    [
        Setting.Word(
            "--tokenizer", Describe("How text becomes tokens.", p => p.Tokenizer), ["byte", "char", "bpe"],
            p => p.Tokenizer, (p, v) => p with { Tokenizer = v }),
        Setting.Whole(
            "--vocab", Describe("Entries of the bpe vocabulary, or of a .bin file's.", p => p.Vocabulary), 1, 65536,
            p => p.Vocabulary, (p, v) => p with { Vocabulary = (int)v }),
        Setting.Real(
            "--val-fraction", Describe("Part of the data, at its end, that is held out.", p => p.ValidationFraction),
            "from 0 up to, not including, 1", v => v is >= 0 and < 1,
            p => p.ValidationFraction, (p, v) => p with { ValidationFraction = v }),
        Setting.Whole(
            "--layers", Describe("Transformer blocks.", p => p.Layers), 1, 4096,
            p => p.Layers, (p, v) => p with { Layers = (int)v }),
        Setting.Whole(
            "--heads", Describe("Attention heads; they divide the width.", p => p.Heads), 1, SizeMax,
            p => p.Heads, (p, v) => p with { Heads = (int)v }),
        Setting.Whole(
            "--width", Describe("Numbers per token.", p => p.Width), 1, SizeMax,
            p => p.Width, (p, v) => p with { Width = (int)v }),
        Setting.Whole(
            "--block", Describe("Longest context in tokens.", p => p.Block), 1, SizeMax,
            p => p.Block, (p, v) => p with { Block = (int)v }),
        Setting.Whole(
            "--batch", Describe("Rows of the global batch.", p => p.Batch), 1, SizeMax,
            p => p.Batch, (p, v) => p with { Batch = (int)v }),
        Setting.Whole(
            "--steps", Describe("Optimizer steps.", p => p.Steps), 1, StepsMax,
            p => p.Steps, (p, v) => p with { Steps = v }),
        Setting.Real(
            "--lr", Describe("Peak learning rate.", p => p.LearningRate), "above 0", v => v > 0,
            p => p.LearningRate, (p, v) => p with { LearningRate = v }),
        Setting.Real(
            "--min-lr", "Learning rate at the last step. [default: a tenth of --lr]", "of at least 0", v => v >= 0,
            p => p.MinimumLearningRate, (p, v) => p with { MinimumLearningRate = v }),
        Setting.Whole(
            "--warmup", "Steps of linear warm-up. [default: 100, at most a tenth of --steps]", 0, StepsMax,
            p => p.Warmup, (p, v) => p with { Warmup = v }),
        Setting.Real(
            "--weight-decay", Describe("Decoupled weight decay on matrices.", p => p.WeightDecay), "of at least 0", v => v >= 0,
            p => p.WeightDecay, (p, v) => p with { WeightDecay = v }),
        Setting.Real(
            "--beta1", Describe("Decay of Adam's first moment.", p => p.Beta1), "from 0 up to, not including, 1", v => v is >= 0 and < 1,
            p => p.Beta1, (p, v) => p with { Beta1 = v }),
        Setting.Real(
            "--beta2", Describe("Decay of Adam's second moment.", p => p.Beta2), "from 0 up to, not including, 1", v => v is >= 0 and < 1,
            p => p.Beta2, (p, v) => p with { Beta2 = v }),
        Setting.Real(
            "--eps", Describe("Added to the root of Adam's second moment.", p => p.Epsilon), "above 0", v => v > 0,
            p => p.Epsilon, (p, v) => p with { Epsilon = v }),
        Setting.Real(
            "--grad-clip", Describe("Largest global gradient norm; 0 is none.", p => p.GradientClip), "of at least 0", v => v >= 0,
            p => p.GradientClip, (p, v) => p with { GradientClip = v }),
        Setting.Real(
            "--dropout", Describe("Dropout rate on embeddings, attention and residuals.", p => p.Dropout),
            "from 0 up to, not including, 1", v => v is >= 0 and < 1,
            p => p.Dropout, (p, v) => p with { Dropout = v }),
        Setting.Whole(
            "--leaves", "Units of gradient work per step; part of the run's identity. [default: 8, at most --batch]", 1, SizeMax,
            p => p.Leaves, (p, v) => p with { Leaves = (int)v }),
        Setting.Whole(
            "--seed", Describe("Seed of initial weights, data order and dropout.", p => p.Seed), 0, long.MaxValue,
            p => p.Seed, (p, v) => p with { Seed = v }),
        Setting.Word(
            "--order", Describe("How rows are drawn; sequential: step s, row b reads tokens[(s*batch+b)*block ..].", p => p.Order),
            ["shuffled", "sequential"],
            p => p.Order, (p, v) => p with { Order = v }),
        Setting.Whole(
            "--workers", "Workers in this process. [default: all cores; changes no bit of the result]", 1, 1024,
            p => p.Workers, (p, v) => p with { Workers = (int)v }),
        Setting.Whole(
            "--threads-per-worker", "Threads of each worker. [default: all cores; changes no bit of the result]", 1, 1024,
            p => p.ThreadsPerWorker, (p, v) => p with { ThreadsPerWorker = (int)v }),
        Setting.Flag(
            "--recompute",
            "Compute activations again in the backward pass: a quarter slower, far less memory; changes no bit of the result. `--recompute false` ends it on --resume.",
            p => p.Recompute, (p, v) => p with { Recompute = v }),
        Setting.Whole(
            "--eval-every", Describe("Steps between evaluations on held-out text; 0 is none.", p => p.EvaluateEvery), 0, StepsMax,
            p => p.EvaluateEvery, (p, v) => p with { EvaluateEvery = v }),
        Setting.Whole(
            "--eval-batches", Describe("Batches of each evaluation; 0 is the whole held-out part.", p => p.EvaluationBatches),
            0, int.MaxValue,
            p => p.EvaluationBatches, (p, v) => p with { EvaluationBatches = (int)v }),
        Setting.Whole(
            "--checkpoint-every", Describe("Steps between checkpoints; 0 is only at the end and on Ctrl-C.", p => p.CheckpointEvery),
            0, StepsMax,
            p => p.CheckpointEvery, (p, v) => p with { CheckpointEvery = v }),
    ];

    /// <summary>Names of settings that a run may change when it is resumed, because no bit of its result depends on them.</summary>
    private static readonly HashSet<string> Free = ["--workers", "--threads-per-worker", "--recompute", "--checkpoint-every"];

    /// <summary>Names of settings that a given model decides.</summary>
    private static readonly HashSet<string> OfModel = ["--layers", "--heads", "--width", "--block"];

    /// <summary>
    /// The plan of a new run: the preset, over it what the user gave, and what follows from that for settings he left open.
    /// </summary>
    /// <param name="request">What the user asked.</param>
    /// <param name="model">The shape of the model given with --init, or null.</param>
    /// <exception cref="InputException">Two settings contradict each other, or one contradicts the given model.</exception>
    public TrainPlan Resolve(TrainRequest request, GptShape? model = null)
    {
        TrainPlan plan = Over(Preset.Named(request.Preset), request.Parsed);
        if (!request.Gave("--min-lr") && request.Gave("--lr"))
        {
            plan = plan with { MinimumLearningRate = plan.LearningRate / 10 };
        }

        if (!request.Gave("--warmup"))
        {
            plan = plan with { Warmup = Math.Min(plan.Warmup, plan.Steps / 10) };
        }

        if (!request.Gave("--leaves"))
        {
            plan = plan with { Leaves = Math.Min(plan.Leaves, plan.Batch) };
        }

        if (!request.Gave("--eval-every") && plan.ValidationFraction == 0)
        {
            plan = plan with { EvaluateEvery = 0 };
        }

        return (model is null ? plan : Adopt(plan, model, request)).Validate();
    }

    /// <summary>
    /// The plan of a run that goes on: what it was started with. Settings given again must say the same, but for those that change no bit.
    /// </summary>
    /// <param name="started">The plan it was started with.</param>
    /// <param name="request">What is asked this time.</param>
    /// <param name="folder">The run's folder, for the sentence.</param>
    /// <exception cref="InputException">A setting differs.</exception>
    public TrainPlan Resume(TrainPlan started, TrainRequest request, string folder)
    {
        TrainPlan given = Over(started, request.Parsed);
        TrainPlan asked = request.Preset is null ? given : Resolve(request);
        bool textWasTokenized = started.Tokenizer != TrainPlan.TokenIds;
        foreach (Setting setting in All)
        {
            // A text may fill fewer entries than asked for, and token ids need no tokenizer; with --init the shape is the given model's.
            bool settled = Free.Contains(setting.Name)
                || setting.Name == (textWasTokenized ? "--vocab" : "--tokenizer")
                || (request.InitPath is not null && OfModel.Contains(setting.Name) && !setting.IsGiven(request.Parsed));
            bool matters = request.Preset is not null || setting.IsGiven(request.Parsed);
            if (matters && !settled && setting.Read(asked) != setting.Read(started))
            {
                // Steps decide the learning rate of each, so a longer run is another one.
                string other = setting.Name == "--steps" ? $"start a new run from its weights with --init {folder} and another --out" : "start a new run with another --out";
                throw new InputException(
                    $"The run in {folder} was started with {setting.Name} {setting.Read(started)} and not {setting.Read(asked)}; leave it out to resume, or {other}.");
            }
        }

        return started with
        {
            Workers = given.Workers,
            ThreadsPerWorker = given.ThreadsPerWorker,
            Recompute = given.Recompute,
            CheckpointEvery = given.CheckpointEvery,
        };
    }

    /// <summary>Whether the user gave the setting of that name.</summary>
    public bool IsGiven(string name, ParseResult parsed) => All.Single(setting => setting.Name == name).IsGiven(parsed);

    private TrainPlan Adopt(TrainPlan plan, GptShape model, TrainRequest request)
    {
        TrainPlan adopted = plan with
        {
            Vocabulary = model.Vocabulary,
            Block = model.Block,
            Layers = model.Layers,
            Heads = model.Heads,
            Width = model.Width,
        };
        foreach (Setting setting in All)
        {
            if (request.Gave(setting.Name) && setting.Read(plan) != setting.Read(adopted))
            {
                throw new InputException(
                    $"{setting.Name} is {setting.Read(plan)} and the model in {request.InitPath} has {setting.Read(adopted)}; "
                    + $"leave {setting.Name} out.");
            }
        }

        return adopted;
    }

    private TrainPlan Over(TrainPlan plan, ParseResult parsed) =>
        All.Where(setting => setting.IsGiven(parsed)).Aggregate(plan, (so, setting) => setting.Apply(so, parsed));

    private static string Describe(string text, Func<TrainPlan, object> read) =>
        $"{text} [default: {Setting.Typed(read(Preset.Default))}]";
}
