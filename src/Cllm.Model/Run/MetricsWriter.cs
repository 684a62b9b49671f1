using System.Buffers;
using System.Text.Json;
using Cllm.Model.Files;
using Microsoft.Win32.SafeHandles;

namespace Cllm.Model.Run;

/// <summary>
/// Writes metrics.jsonl: one line per step, each step once and in order, however often the run was resumed. A line is with the
/// operating system when <see cref="Write"/> returns, and a line that could not be written whole is taken back.
/// </summary>
/// <remarks>
/// Writing a line allocates nothing. Write a step's line, and flush it to disk, before the step's checkpoint is written: then no resume
/// can find a step without its line.
/// </remarks>
public sealed class MetricsWriter : IDisposable
{
    private static readonly JsonEncodedText StepName = JsonEncodedText.Encode("step");
    private static readonly JsonEncodedText LossName = JsonEncodedText.Encode("loss");
    private static readonly JsonEncodedText GradientNormName = JsonEncodedText.Encode("grad_norm");
    private static readonly JsonEncodedText LearningRateName = JsonEncodedText.Encode("lr");
    private static readonly JsonEncodedText TokensPerSecondName = JsonEncodedText.Encode("tokens_per_second");
    private static readonly JsonEncodedText MillisecondsName = JsonEncodedText.Encode("milliseconds");
    private static readonly JsonEncodedText ValidationLossName = JsonEncodedText.Encode("val_loss");
    private static readonly JsonEncodedText DigestName = JsonEncodedText.Encode("digest");

    private readonly string _path;
    private readonly SafeFileHandle _file;
    private readonly ArrayBufferWriter<byte> _line = new(512);
    private readonly Utf8JsonWriter _json;
    private long _length;
    private long _nextStep;

    /// <summary>Opens the file, new or from an earlier part of the run.</summary>
    /// <param name="path">Path of metrics.jsonl; its folder exists.</param>
    /// <param name="nextStep">The step that training goes on with; lines of this and later steps are dropped.</param>
    /// <exception cref="StorageException">The disk is full or failed.</exception>
    public MetricsWriter(string path, long nextStep)
    {
        _path = Path.GetFullPath(path);
        _nextStep = nextStep;
        KeepLinesBefore(_path, nextStep);
        _file = DiskFileStore.Writing(_path, () => File.OpenHandle(_path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read));
        _length = RandomAccess.GetLength(_file);
        _json = new Utf8JsonWriter(_line);
    }

    /// <summary>Appends the line of the next step.</summary>
    /// <exception cref="InvalidOperationException">A step is written twice or out of order.</exception>
    /// <exception cref="StorageException">The disk is full or failed; the file is as before.</exception>
    public void Write(in StepMetrics metrics)
    {
        if (metrics.Step < _nextStep)
        {
            throw new InvalidOperationException($"The metrics of step {metrics.Step} come after those of step {_nextStep - 1}.");
        }

        Format(metrics);
        try
        {
            RandomAccess.Write(_file, _line.WrittenSpan, _length);
        }
        catch (IOException e)
        {
            TakeBack();
            throw StorageException.While(_path, e);
        }

        _length += _line.WrittenCount;
        _nextStep = metrics.Step + 1;
    }

    /// <summary>Makes the lines so far last through a power loss.</summary>
    /// <exception cref="StorageException">The disk failed.</exception>
    public void FlushToDisk()
    {
        try
        {
            RandomAccess.FlushToDisk(_file);
        }
        catch (IOException e)
        {
            throw StorageException.While(_path, e);
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose()
    {
        _json.Dispose();
        _file.Dispose();
    }

    private void TakeBack() => DiskFileStore.Writing(_path, () =>
    {
        RandomAccess.SetLength(_file, _length);
        return true;
    });

    private void Format(in StepMetrics metrics)
    {
        _line.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteNumber(StepName, metrics.Step);
        Number(LossName, metrics.Loss);
        Number(GradientNormName, metrics.GradientNorm);
        Number(LearningRateName, metrics.LearningRate);
        Number(TokensPerSecondName, metrics.TokensPerSecond);
        Number(MillisecondsName, metrics.Milliseconds);
        if (metrics.ValidationLoss is { } loss)
        {
            Number(ValidationLossName, loss);
        }

        if (metrics.Digest is { } digest)
        {
            _json.WriteString(DigestName, digest);
        }

        _json.WriteEndObject();
        _json.Flush();
        _line.Write("\n"u8);
    }

    private void Number(JsonEncodedText name, double value)
    {
        if (double.IsFinite(value))
        {
            _json.WriteNumber(name, value);
        }
        else
        {
            _json.WriteNull(name);
        }
    }

    private static void KeepLinesBefore(string path, long nextStep)
    {
        if (!File.Exists(path))
        {
            return;
        }

        byte[] content = MetricsReader.Content(path);
        var kept = new ArrayBufferWriter<byte>(content.Length + 1);
        foreach (var line in MetricsReader.LinesBefore(path, content, nextStep))
        {
            kept.Write(content.AsSpan(line));
            kept.Write("\n"u8);
        }

        AtomicFile.Write(DiskFileStore.Instance, path, kept.WrittenSpan);
    }
}
