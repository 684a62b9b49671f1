using System.Buffers;
using System.Text.Json;
using Cllm.Model.Files;
using Cllm.Model.Run;
using Cllm.Model.Shape;

namespace Cllm.Model.Checkpoints;

/// <summary>A checkpoint's state.json: what the other files must be for the checkpoint to be believed.</summary>
public sealed record CheckpointState
{
    internal const int FormatVersion = 1;

    /// <summary>Steps committed so far.</summary>
    public required long Step { get; init; }

    /// <summary>The model's shape, so that a checkpoint can be read without its run.</summary>
    public required GptShape Shape { get; init; }

    /// <summary>Digest of the run's configuration.</summary>
    public required string ConfigurationDigest { get; init; }

    /// <summary>Digest of the weights.</summary>
    public required string WeightsDigest { get; init; }

    /// <summary>Digest of Adam's state.</summary>
    public required string OptimizerDigest { get; init; }

    /// <summary>Length and SHA-256 of model.safetensors.</summary>
    public required CheckpointFile Weights { get; init; }

    /// <summary>Length and SHA-256 of optimizer.safetensors.</summary>
    public required CheckpointFile Optimizer { get; init; }

    internal byte[] ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" });
        json.WriteStartObject();
        json.WriteNumber("format_version", FormatVersion);
        json.WriteNumber("step", Step);
        json.WriteNumber("vocabulary", Shape.Vocabulary);
        json.WriteNumber("block", Shape.Block);
        json.WriteNumber("layers", Shape.Layers);
        json.WriteNumber("heads", Shape.Heads);
        json.WriteNumber("width", Shape.Width);
        json.WriteString("configuration_digest", ConfigurationDigest);
        json.WriteString("weights_digest", WeightsDigest);
        json.WriteString("optimizer_digest", OptimizerDigest);
        WriteFile(json, CheckpointFolder.WeightsName, Weights);
        WriteFile(json, CheckpointFolder.OptimizerName, Optimizer);
        json.WriteString("program_version", ProgramVersion.Program);
        json.WriteString("dotnet_version", ProgramVersion.Dotnet);
        json.WriteEndObject();
        json.Flush();
        return SealedJson.Seal(buffer.WrittenSpan);
    }

    internal static CheckpointState Parse(string path, byte[] content)
    {
        SealedJson.RequireSeal(path, content);
        var fields = JsonFields.Parse(path, content);
        long version = fields.Whole("format_version", 1);
        if (version != FormatVersion)
        {
            throw new InputException(
                $"{path} is of format version {version} and this program reads version {FormatVersion}; use the program that wrote it.");
        }

        return new CheckpointState
        {
            Step = fields.Whole("step", 0),
            Shape = new GptShape(
                fields.Count("vocabulary", 1), fields.Count("block", 1), fields.Count("layers", 1),
                fields.Count("heads", 1), fields.Count("width", 1)),
            ConfigurationDigest = fields.Text("configuration_digest"),
            WeightsDigest = fields.Text("weights_digest"),
            OptimizerDigest = fields.Text("optimizer_digest"),
            Weights = ReadFile(fields, CheckpointFolder.WeightsName),
            Optimizer = ReadFile(fields, CheckpointFolder.OptimizerName),
        };
    }

    private static void WriteFile(Utf8JsonWriter json, string name, CheckpointFile file)
    {
        json.WriteStartObject(name);
        json.WriteNumber("bytes", file.Bytes);
        json.WriteString("header_sha256", file.HeaderSha256);
        json.WriteEndObject();
    }

    private static CheckpointFile ReadFile(JsonFields fields, string name)
    {
        var file = fields.Object(name);
        return new CheckpointFile(file.Whole("bytes", 0), file.Text("header_sha256"));
    }
}

/// <summary>What is known of a safetensors file in a checkpoint, beside the digest of the numbers behind its header.</summary>
/// <param name="Bytes">Its length.</param>
/// <param name="HeaderSha256">SHA-256 of all bytes before the numbers, lowercase hexadecimal.</param>
public readonly record struct CheckpointFile(long Bytes, string HeaderSha256);
