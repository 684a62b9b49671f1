using System.Buffers;
using System.Text.Json;
using Cllm.Model.Files;
using Cllm.Model.Shape;

namespace Cllm.Model.Run;

/// <summary>
/// A run's configuration as JSON. Names and order are written here by hand and never derived from the code: the configuration's digest
/// is over these bytes, so renaming a property must not change the identity of a run.
/// </summary>
internal static class RunConfigurationJson
{
    public static byte[] ToBytes(RunConfiguration configuration)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        Write(json, configuration);
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    public static void Write(Utf8JsonWriter json, RunConfiguration c)
    {
        json.WriteStartObject();
        json.WriteNumber("vocabulary", c.Shape.Vocabulary);
        json.WriteNumber("block", c.Shape.Block);
        json.WriteNumber("layers", c.Shape.Layers);
        json.WriteNumber("heads", c.Shape.Heads);
        json.WriteNumber("width", c.Shape.Width);
        json.WriteNumber("batch", c.Batch);
        json.WriteNumber("leaves", c.Leaves);
        json.WriteNumber("steps", c.Steps);
        json.WriteNumber("seed", c.Seed);
        json.WriteString("order", NameOf(c.Order));
        json.WriteNumber("learning_rate", c.Optimizer.LearningRate);
        json.WriteNumber("minimum_learning_rate", c.Optimizer.MinimumLearningRate);
        json.WriteNumber("warmup_steps", c.Optimizer.WarmupSteps);
        json.WriteNumber("weight_decay", c.Optimizer.WeightDecay);
        json.WriteNumber("beta1", c.Optimizer.Beta1);
        json.WriteNumber("beta2", c.Optimizer.Beta2);
        json.WriteNumber("epsilon", c.Optimizer.Epsilon);
        json.WriteNumber("gradient_clip", c.Optimizer.GradientClip);
        json.WriteNumber("dropout", c.Dropout);
        json.WriteNumber("validation_fraction", c.ValidationFraction);
        json.WriteNumber("evaluation_rows", c.EvaluationRows);
        json.WriteNumber("evaluate_every", c.EvaluateEvery);
        json.WriteString("tokenizer", c.Tokenizer);
        json.WriteString("tokenizer_digest", c.TokenizerDigest);
        json.WriteString("data_digest", c.DataDigest);
        json.WriteString("initial_weights_digest", c.InitialWeightsDigest);
        json.WriteEndObject();
    }

    public static RunConfiguration Read(JsonFields fields) => new()
    {
        Shape = new GptShape(
            fields.Count("vocabulary", 1), fields.Count("block", 1), fields.Count("layers", 1),
            fields.Count("heads", 1), fields.Count("width", 1)),
        Batch = fields.Count("batch", 1),
        Leaves = fields.Count("leaves", 1),
        Steps = fields.Whole("steps", 0),
        Seed = fields.Unsigned("seed"),
        Order = OrderOf(fields),
        Optimizer = new OptimizerConfiguration
        {
            LearningRate = fields.Number("learning_rate"),
            MinimumLearningRate = fields.Number("minimum_learning_rate"),
            WarmupSteps = fields.Whole("warmup_steps", 0),
            WeightDecay = fields.Number("weight_decay"),
            Beta1 = fields.Number("beta1"),
            Beta2 = fields.Number("beta2"),
            Epsilon = fields.Number("epsilon"),
            GradientClip = fields.Number("gradient_clip"),
        },
        Dropout = fields.Single("dropout"),
        ValidationFraction = fields.Number("validation_fraction"),
        EvaluationRows = fields.Count("evaluation_rows", 0),
        EvaluateEvery = fields.Whole("evaluate_every", 0),
        Tokenizer = fields.Text("tokenizer"),
        TokenizerDigest = fields.Text("tokenizer_digest"),
        DataDigest = fields.Text("data_digest"),
        InitialWeightsDigest = fields.Text("initial_weights_digest"),
    };

    private static string NameOf(RowOrder order) => order switch
    {
        RowOrder.Shuffled => "shuffled",
        RowOrder.Sequential => "sequential",
        _ => throw new ArgumentOutOfRangeException(nameof(order)),
    };

    private static RowOrder OrderOf(JsonFields fields) => fields.Text("order") switch
    {
        "shuffled" => RowOrder.Shuffled,
        "sequential" => RowOrder.Sequential,
        _ => throw fields.Wrong("has an \"order\" that is neither shuffled nor sequential"),
    };
}
