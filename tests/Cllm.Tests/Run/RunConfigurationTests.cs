using System.Reflection;
using System.Text;
using Cllm.Model.Files;
using Cllm.Model.Run;
using Cllm.Model.Shape;

namespace Cllm.Tests.Run;

public sealed class RunConfigurationTests
{
    private static readonly RunConfiguration Sample = SampleConfiguration.Configuration;

    [Fact]
    public void Its_canonical_form_never_changes()
    {
        string expected = """
            {"vocabulary":1000,"block":32,"layers":2,"heads":4,"width":128,"batch":4,"leaves":2,"steps":300,
            "seed":18446744073709551615,"order":"shuffled","learning_rate":0.001,"minimum_learning_rate":0.0001,"warmup_steps":100,
            "weight_decay":0.1,"beta1":0.9,"beta2":0.99,"epsilon":1E-08,"gradient_clip":1,"dropout":0.2,"validation_fraction":0.1,
            "evaluation_rows":80,"evaluate_every":50,"tokenizer":"bpe","tokenizer_digest":"aa11","data_digest":"bb22",
            "initial_weights_digest":""}
            """.ReplaceLineEndings("");
        Assert.Equal(expected, Encoding.UTF8.GetString(RunConfigurationJson.ToBytes(Sample)));
        Assert.Equal(Digest.Bytes(Encoding.UTF8.GetBytes(expected)), ConfigurationDigest.Of(Sample));
    }

    [Fact]
    public void It_comes_back_from_its_form() => Assert.Equal(Sample, BackAndForth(Sample));

    [Theory]
    [MemberData(nameof(Changes))]
    public void Every_property_is_part_of_the_runs_identity(string property)
    {
        var changed = Changed(property);
        Assert.NotEqual(Sample, changed);
        Assert.NotEqual(ConfigurationDigest.Of(Sample), ConfigurationDigest.Of(changed));
        Assert.Equal(changed, BackAndForth(changed));
        Assert.NotNull(RunDifference.Describe(Sample, changed));
    }

    [Fact]
    public void Equal_configurations_have_no_difference() => Assert.Null(RunDifference.Describe(Sample, Sample with { }));

    [Fact]
    public void A_difference_is_told_in_the_users_words()
    {
        Assert.Equal(
            "--width is 128 there and 256 here",
            RunDifference.Describe(Sample, Sample with { Shape = Sample.Shape with { Width = 256 } }));
        Assert.Equal(
            "--order is shuffled there and sequential here",
            RunDifference.Describe(Sample, Sample with { Order = RowOrder.Sequential }));
        Assert.Equal(
            "--lr is 0.001 there and 0.002 here",
            RunDifference.Describe(Sample, Sample with { Optimizer = Sample.Optimizer with { LearningRate = 0.002, Beta2 = 0.5 } }));
        Assert.Equal(
            "the data given with --data (its SHA-256) is 0123456789ab… there and bb22… here",
            RunDifference.Describe(Sample with { DataDigest = "0123456789abcdef" }, Sample));
        Assert.Equal(
            "the model given with --init (its SHA-256) is none there and ff… here",
            RunDifference.Describe(Sample, Sample with { InitialWeightsDigest = "ff" }));
    }

    /// <summary>Every property of the configuration and of the records within it.</summary>
    public static TheoryData<string> Changes() =>
        [.. Properties(typeof(RunConfiguration)), .. Properties(typeof(GptShape)), .. Properties(typeof(OptimizerConfiguration))];

    private static IEnumerable<string> Properties(Type type) => type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(p => p.CanWrite && p.PropertyType.Namespace == "System" || p.PropertyType == typeof(RowOrder))
        .Select(p => $"{type.Name}.{p.Name}");

    private static RunConfiguration Changed(string property)
    {
        var copy = Sample with { Shape = Sample.Shape with { }, Optimizer = Sample.Optimizer with { } };
        string[] parts = property.Split('.');
        object owner = new object[] { copy, copy.Shape, copy.Optimizer }.Single(o => o.GetType().Name == parts[0]);
        var changed = owner.GetType().GetProperty(parts[1])!;
        changed.SetValue(owner, changed.GetValue(owner) switch
        {
            int n => n + 1,
            long n => n + 1,
            ulong n => n - 1,
            float x => float.BitIncrement(x),
            double x => double.BitIncrement(x),
            string s => s + "0",
            RowOrder => RowOrder.Sequential,
            var other => throw new InvalidOperationException($"{property} is of a kind this test does not know: {other}."),
        });
        return copy;
    }

    private static RunConfiguration BackAndForth(RunConfiguration configuration) =>
        RunConfigurationJson.Read(JsonFields.Parse("x", RunConfigurationJson.ToBytes(configuration)));
}
