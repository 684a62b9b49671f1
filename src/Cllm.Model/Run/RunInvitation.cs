using System.Buffers;
using System.Text.Json;
using Cllm.Model.Files;

namespace Cllm.Model.Run;

/// <summary>
/// What a process has to know to take part in a run: told to whoever asks, before it is a member of anything. It is JSON with the versions first, so that two
/// programs of different versions can still say to each other that they are.
/// </summary>
public sealed record RunInvitation
{
    /// <summary>No invitation has more bytes.</summary>
    public const int BytesMax = 1 << 16;

    private const string Place = "The run's invitation";
    private const int CredentialDigits = 32;
    private const int CoordinatorsMax = 99;
    private const int ShardsMax = 4096;

    /// <summary>The program's version at the run.</summary>
    public required string ProgramVersion { get; init; }

    /// <summary>Version of the messages at the run.</summary>
    public required int ProtocolVersion { get; init; }

    /// <summary>What determines the bits of the run.</summary>
    public required RunConfiguration Configuration { get; init; }

    /// <summary>Bytes of the tokenizer's file; 0 when the data were token ids.</summary>
    public required long TokenizerBytes { get; init; }

    /// <summary>Bytes of the token ids.</summary>
    public required long TokenBytes { get; init; }

    /// <summary>Processes that may coordinate the run: 1, or an odd number with its standbys.</summary>
    public required int Coordinators { get; init; }

    /// <summary>Shards of the run.</summary>
    public required int Shards { get; init; }

    /// <summary>Steps between checkpoints; 0 is only at the end and on a stop.</summary>
    public required long CheckpointEvery { get; init; }

    /// <summary>Processes without which the run pauses.</summary>
    public required int NodesMin { get; init; }

    /// <summary>Number of the node that answers, which serves tokenizer and token ids.</summary>
    public required int ChannelNode { get; init; }

    /// <summary>Host at which it serves them.</summary>
    public required string ChannelHost { get; init; }

    /// <summary>Its port.</summary>
    public required int ChannelPort { get; init; }

    /// <summary>What the caller shows there: 32 hexadecimal digits.</summary>
    public required string ChannelCredential { get; init; }

    /// <summary>The invitation as bytes.</summary>
    public byte[] ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("program_version", ProgramVersion);
        json.WriteNumber("protocol_version", ProtocolVersion);
        json.WritePropertyName("configuration");
        RunConfigurationJson.Write(json, Configuration);
        json.WriteNumber("tokenizer_bytes", TokenizerBytes);
        json.WriteNumber("token_bytes", TokenBytes);
        json.WriteNumber("coordinators", Coordinators);
        json.WriteNumber("shards", Shards);
        json.WriteNumber("checkpoint_every", CheckpointEvery);
        json.WriteNumber("nodes_min", NodesMin);
        json.WriteNumber("channel_node", ChannelNode);
        json.WriteString("channel_host", ChannelHost);
        json.WriteNumber("channel_port", ChannelPort);
        json.WriteString("channel_credential", ChannelCredential);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Reads an invitation.</summary>
    /// <param name="bytes">What came.</param>
    /// <param name="run">Where it came from, as the user would name it.</param>
    /// <param name="protocolVersion">Version of this program's messages.</param>
    /// <exception cref="InputException">It is none, or the run's program is another one than this.</exception>
    public static RunInvitation Parse(ReadOnlyMemory<byte> bytes, string run, int protocolVersion)
    {
        if (bytes.Length > BytesMax)
        {
            throw new InputException($"{run} sent {bytes.Length} bytes as its invitation, more than any has; check that it is a run of cllm.");
        }

        var fields = JsonFields.Parse(Place, bytes);
        string program = JsonFields.Shown(fields.Text("program_version"));
        int protocol = fields.Count("protocol_version", 0);
        if (protocol != protocolVersion)
        {
            throw new InputException(
                $"The run at {run} speaks protocol version {protocol} (cllm {program}) and this program {protocolVersion} "
                + $"(cllm {Run.ProgramVersion.Program}); install the same version on both.");
        }

        if (program != Run.ProgramVersion.Program)
        {
            // Another version may add in another order, and then the bits are no longer those of one run.
            throw new InputException(
                $"The run at {run} is of cllm {program} and this program is {Run.ProgramVersion.Program}; install the same version on both.");
        }

        return new RunInvitation
        {
            ProgramVersion = program,
            ProtocolVersion = protocol,
            Configuration = RunConfigurationJson.Read(fields.Object("configuration")),
            TokenizerBytes = fields.Whole("tokenizer_bytes", 0, int.MaxValue),
            TokenBytes = fields.Whole("token_bytes", sizeof(ushort)),
            Coordinators = fields.Count("coordinators", 1, CoordinatorsMax),
            Shards = fields.Count("shards", 1, ShardsMax),
            CheckpointEvery = fields.Whole("checkpoint_every", 0),
            NodesMin = fields.Count("nodes_min", 0),
            ChannelNode = fields.Count("channel_node", 0),
            ChannelHost = fields.Text("channel_host"),
            ChannelPort = fields.Count("channel_port", 1, ushort.MaxValue),
            ChannelCredential = Credential(fields),
        };
    }

    private static string Credential(JsonFields fields)
    {
        string text = fields.Text("channel_credential");
        return text.Length == CredentialDigits && text.All(char.IsAsciiHexDigit)
            ? text
            : throw fields.Wrong($"has a \"channel_credential\" that is not {CredentialDigits} hexadecimal digits");
    }
}
