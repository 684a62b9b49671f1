using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Cllm.Model.Files;

namespace Cllm.Model.Run;

/// <summary>What run.json says: the whole resolved configuration and where it came from.</summary>
public sealed record RunDescription
{
    private const int FormatVersion = 1;

    /// <summary>What determines the bits of the run.</summary>
    public required RunConfiguration Configuration { get; init; }

    /// <summary>What does not: as last given.</summary>
    public required RunOptions Options { get; init; }

    /// <summary>The program's version that started the run.</summary>
    public required string ProgramVersion { get; init; }

    /// <summary>The version of .NET that started the run.</summary>
    public required string DotnetVersion { get; init; }

    /// <summary>When the run was started.</summary>
    public required DateTimeOffset Created { get; init; }

    internal byte[] ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" });
        json.WriteStartObject();
        json.WriteNumber("format_version", FormatVersion);
        json.WritePropertyName("configuration");
        RunConfigurationJson.Write(json, Configuration);
        json.WriteString("configuration_digest", ConfigurationDigest.Of(Configuration));
        json.WriteStartObject("options");
        json.WriteNumber("workers", Options.Workers);
        json.WriteNumber("threads_per_worker", Options.ThreadsPerWorker);
        json.WriteBoolean("recompute", Options.Recompute);
        json.WriteNumber("checkpoint_every", Options.CheckpointEvery);
        json.WriteNumber("checkpoints_kept", Options.CheckpointsKept);
        json.WriteEndObject();
        json.WriteString("program_version", ProgramVersion);
        json.WriteString("dotnet_version", DotnetVersion);
        json.WriteString("created", Created.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        json.WriteEndObject();
        json.Flush();
        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    internal static RunDescription Parse(string path, byte[] content)
    {
        var fields = JsonFields.Parse(path, content);
        long version = fields.Whole("format_version", 1);
        if (version != FormatVersion)
        {
            throw new InputException(
                $"{path} is of format version {version} and this program reads version {FormatVersion}; use the program that wrote it.");
        }

        var configuration = RunConfigurationJson.Read(fields.Object("configuration"));
        if (fields.Text("configuration_digest") != ConfigurationDigest.Of(configuration))
        {
            throw new InputException(
                $"{path} was changed after it was written: its configuration does not fit its digest; undo that or start a new run.");
        }

        var options = fields.Object("options");
        return new RunDescription
        {
            Configuration = configuration,
            Options = new RunOptions
            {
                Workers = options.Count("workers", 0),
                ThreadsPerWorker = options.Count("threads_per_worker", 0),
                Recompute = options.Has("recompute") && options.Flag("recompute"),
                CheckpointEvery = options.Whole("checkpoint_every", 0),
                CheckpointsKept = options.Count("checkpoints_kept", 1),
            },
            ProgramVersion = fields.Text("program_version"),
            DotnetVersion = fields.Text("dotnet_version"),
            Created = DateTimeOffset.TryParse(fields.Text("created"), CultureInfo.InvariantCulture, out var created)
                ? created
                : throw fields.Wrong("has a \"created\" that is not a time"),
        };
    }
}
