using System.Globalization;
using System.Text;

namespace Cllm.Actors.Inspection;

/// <summary>Writes the text format 0.0.4 that Prometheus reads.</summary>
public sealed class PrometheusText
{
    /// <summary>Its content type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();

    /// <summary>What a run's view says, as gauges.</summary>
    public void Gauges(RunView run)
    {
        Gauge("cllm_epoch", "The epoch.", run.Epoch);
        Gauge("cllm_run_steps", "Steps of the whole run.", run.Steps);
        Gauge("cllm_committed_steps", "Steps that are done.", run.CommittedSteps);
        Gauge("cllm_checkpointed_steps", "Steps that the newest checkpoint has in it.", run.CheckpointedSteps);
        Gauge("cllm_loss", "Loss of the last step.", run.Loss);
        Gauge("cllm_tokens_per_second", "Tokens trained on in a second, over the last steps.", run.TokensPerSecond);
        Gauge("cllm_bytes_per_step", "Bytes that all nodes sent for each step.", run.BytesPerStep);
        Gauge("cllm_wait_seconds", "Since when the run has not got on.", run.Wait?.Seconds ?? 0);
        Gauge("cllm_nodes", "Nodes that are there.", run.Nodes.Count(node => node.IsThere));
        Gauge("cllm_messages_dropped", "Messages that were too late, doubled, or from nobody known.", run.Faults.MessagesDropped);
        Head("cllm_workers", "Workers by state.", "gauge");
        foreach (var group in run.Workers.GroupBy(worker => worker.State))
        {
            Sample("cllm_workers", group.Count(), ("state", group.Key));
        }

        PerWorker("cllm_worker_leaves", "Leaves that a worker computed and that counted.", run, worker => worker.Leaves);
        PerWorker("cllm_worker_tokens_per_second", "How fast a worker computes.", run, worker => worker.TokensPerSecond);
        PerWorker("cllm_worker_compute_seconds", "Time that a worker computed.", run, worker => worker.ComputeSeconds);
        PerWorker("cllm_worker_wait_seconds", "Time that a worker waited.", run, worker => worker.WaitSeconds);
    }

    /// <summary>Begins a metric.</summary>
    public void Head(string name, string help, string type) =>
        _text.Append($"# HELP {name} {help.Replace("\\", "\\\\").Replace("\n", "\\n")}\n# TYPE {name} {type}\n");

    /// <summary>Writes a value of the metric that was begun.</summary>
    public void Sample(string name, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        _text.Append(name);
        for (var i = 0; i < labels.Length; i++)
        {
            var escaped = labels[i].Value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");
            _text.Append($"{(i == 0 ? '{' : ',')}{labels[i].Name}=\"{escaped}\"");
        }

        _text.Append(labels.IsEmpty ? " " : "} ").Append(Number(value)).Append('\n');
    }

    /// <summary>A number as Prometheus reads it.</summary>
    public static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    private void Gauge(string name, string help, double? value)
    {
        if (value is { } known)
        {
            Head(name, help, "gauge");
            Sample(name, known);
        }
    }

    private void PerWorker(string name, string help, RunView run, Func<RunWorker, double?> value)
    {
        Head(name, help, "gauge");
        foreach (var worker in run.Workers)
        {
            if (value(worker) is { } known)
            {
                Sample(name, known, ("worker", $"{worker.Worker}"), ("node", $"{worker.Node}"));
            }
        }
    }
}
