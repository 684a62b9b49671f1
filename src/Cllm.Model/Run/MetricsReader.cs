using Cllm.Model.Files;

namespace Cllm.Model.Run;

/// <summary>Reads metrics.jsonl, also while another process writes it.</summary>
public static class MetricsReader
{
    private const byte Newline = (byte)'\n';

    /// <summary>All whole lines; a last line still being written is left out.</summary>
    /// <exception cref="InputException">The file is missing or a line is not a step's metrics.</exception>
    public static IReadOnlyList<StepMetrics> Read(string path)
    {
        byte[] content = Content(path);
        return [.. Lines(content).Select((line, i) => Parse($"{path}, line {i + 1},", content.AsMemory(line)))];
    }

    /// <summary>
    /// The lines of <paramref name="content"/> that stand for steps before <paramref name="end"/>, each step once; broken lines are
    /// left out.
    /// </summary>
    internal static IEnumerable<Range> LinesBefore(string path, byte[] content, long end)
    {
        long next = 0;
        foreach (var line in Lines(content))
        {
            long step;
            try
            {
                step = Parse(path, content.AsMemory(line)).Step;
            }
            catch (InputException)
            {
                // Torn by a crash or a power loss: what it said is lost, and the lines around it are still good.
                continue;
            }

            if (step >= next && step < end)
            {
                next = step + 1;
                yield return line;
            }
        }
    }

    internal static byte[] Content(string path)
    {
        using var file = DiskFileStore.Instance.OpenRead(path);
        if (file.Length > Array.MaxLength)
        {
            throw new InputException($"{path} has {file.Length} bytes, too many to read at once; move it away.");
        }

        byte[] content = new byte[file.Length];
        file.Read(0, content);
        return content;
    }

    private static IEnumerable<Range> Lines(byte[] content)
    {
        int start = 0;
        for (int end = Array.IndexOf(content, Newline); end >= 0; end = Array.IndexOf(content, Newline, start))
        {
            yield return start..end;
            start = end + 1;
        }
    }

    private static StepMetrics Parse(string place, ReadOnlyMemory<byte> line)
    {
        var fields = JsonFields.Parse(place, line);
        return new StepMetrics(
            fields.Whole("step", 0),
            NumberOrNull(fields, "loss"),
            NumberOrNull(fields, "grad_norm"),
            NumberOrNull(fields, "lr"),
            NumberOrNull(fields, "tokens_per_second"),
            NumberOrNull(fields, "milliseconds"),
            fields.Has("val_loss") ? fields.Number("val_loss") : null,
            fields.Has("digest") ? fields.Text("digest") : null);
    }

    // JSON has no name for what is not a finite number; null stands for it.
    private static double NumberOrNull(JsonFields fields, string name) => fields.Has(name) ? fields.Number(name) : double.NaN;
}
