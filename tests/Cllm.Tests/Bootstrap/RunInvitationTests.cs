using System.Text;
using Cllm.Model;
using Cllm.Model.Run;
using Cllm.Model.Shape;
using Cllm.Tests.Run;

namespace Cllm.Tests.Bootstrap;

public sealed class RunInvitationTests
{
    internal static RunInvitation Some { get; } = new()
    {
        ProgramVersion = ProgramVersion.Program,
        ProtocolVersion = 3,
        Configuration = SampleConfiguration.Configuration with
        {
            Shape = new GptShape(256, 8, 1, 2, 16),
            Leaves = 4,
            Steps = 30,
            Seed = 1,
            Optimizer = SampleConfiguration.Configuration.Optimizer with { WarmupSteps = 3 },
            Dropout = 0,
            ValidationFraction = 0,
            EvaluationRows = 0,
            EvaluateEvery = 0,
            Tokenizer = "byte",
            TokenizerDigest = "70",
            DataDigest = "da",
        },
        TokenizerBytes = 100,
        TokenBytes = 2000,
        Coordinators = 3,
        Shards = 8,
        CheckpointEvery = 250,
        NodesMin = 2,
        ChannelNode = 77,
        ChannelHost = "127.0.0.1",
        ChannelPort = 4054,
        ChannelCredential = new string('c', 32),
    };

    [Fact]
    public void An_invitation_arrives_as_it_was_sent() => Assert.Equal(Some, RunInvitation.Parse(Some.ToBytes(), "a:1", 3));

    [Fact]
    public void A_run_with_another_protocol_is_refused_whatever_else_it_says()
    {
        byte[] strange = Encoding.UTF8.GetBytes("{\"program_version\": \"9.9.9\", \"protocol_version\": 4, \"new\": [1]}");
        string sentence = Assert.Throws<InputException>(() => RunInvitation.Parse(strange, "a:1", 3)).Message;
        Assert.Equal(
            $"The run at a:1 speaks protocol version 4 (cllm 9.9.9) and this program 3 (cllm {ProgramVersion.Program}); install the same version on both.", sentence);
    }

    [Fact]
    public void A_run_of_another_version_is_refused()
    {
        string sentence = Assert.Throws<InputException>(() => RunInvitation.Parse((Some with { ProgramVersion = "9.9.9" }).ToBytes(), "a:1", 3)).Message;
        Assert.Contains("is of cllm 9.9.9 and this program is", sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("{\"program_version\": 1}")]
    public void Something_else_is_no_invitation(string text) =>
        Assert.StartsWith("The run's invitation ", Assert.Throws<InputException>(() => RunInvitation.Parse(Encoding.UTF8.GetBytes(text), "a:1", 3)).Message);

    [Fact]
    public void An_endless_invitation_is_not_read() => Assert.Contains(
        "65537 bytes", Assert.Throws<InputException>(() => RunInvitation.Parse(new byte[RunInvitation.BytesMax + 1], "a:1", 3)).Message);

    [Theory]
    [InlineData("\"channel_port\":4054", "\"channel_port\":0")]
    [InlineData("\"channel_port\":4054", "\"channel_port\":65536")]
    [InlineData("cccccccc", "zzzzzzzz")]
    [InlineData("\"token_bytes\":2000", "\"token_bytes\":-1")]
    [InlineData("\"coordinators\":3", "\"coordinators\":1000")]
    public void A_field_beyond_its_bounds_is_refused(string good, string bad)
    {
        string text = Encoding.UTF8.GetString(Some.ToBytes());
        Assert.Contains(good, text, StringComparison.Ordinal);
        Assert.Throws<InputException>(() => RunInvitation.Parse(Encoding.UTF8.GetBytes(text.Replace(good, bad)), "a:1", 3));
    }
}
