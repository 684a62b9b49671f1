namespace Cllm.Actors.Inspection;

/// <summary>What operators are shown of a run: by `cllm status`, `cllm workers` and the pbm commands alike.</summary>
public static class Tables
{
    /// <summary>From here on, waiting is worth a person's attention.</summary>
    private const double StuckSeconds = 10;

    /// <summary>The run in a few lines of names and values.</summary>
    public static IReadOnlyList<(string Name, string Value)> Status(RunView run)
    {
        var rows = new List<(string, string)>
        {
            ("run", run.Name),
            ("phase", run.Phase),
            ("step", $"{Count(run.CommittedSteps)} of {Count(run.Steps)} done; {LastCommitted(run)}, epoch {run.Epoch}"),
        };
        if (run.Wait is { } wait)
        {
            rows.Add((wait.Seconds >= StuckSeconds ? "stuck" : "waits", $"{Duration(wait.Seconds)} for {wait.Who} {wait.What}"));
        }

        if (run.Loss is { } loss)
        {
            rows.Add(("loss", loss.ToString("F4")));
        }

        if (run is { StepSeconds: { } seconds, TokensPerSecond: { } rate })
        {
            rows.Add(("speed", $"{Count(rate)} tokens/s, {Duration(seconds)} a step"));
        }

        rows.Add(("checkpoint", $"at step {Count(run.CheckpointedSteps)}"));
        rows.Add(("workers", WorkersOf(run)));
        if (run.Coordinator is { } coordinator)
        {
            rows.Add(("coordinator", $"node {coordinator}"));
        }

        rows.Add(("traffic", run.BytesPerStep == 0 ? "none: one process" : $"{Bytes(run.BytesPerStep)} a step, all nodes together"));
        rows.Add(("survived", Survived(run.Faults)));
        rows.Add(("up", Duration(run.UpSeconds)));
        rows.AddRange(run.Notes.Select((note, at) => (at == 0 ? "notes" : "", note)));
        return rows;
    }

    /// <summary>The nodes.</summary>
    public static TextTable Nodes(RunView run) => new(
        "Nodes",
        ["node", "address", "state", "workers", "shards", "compute", "reduce", "wait", "sent", "received"],
        [.. run.Nodes.Select(node => (string[])
        [
            $"{node.Node}", node.Address, node.State, $"{node.Workers}", $"{node.Shards}", Duration(node.ComputeSeconds),
            Duration(node.ReduceSeconds), Duration(node.WaitSeconds), Bytes(node.BytesSent), Bytes(node.BytesReceived),
        ])],
        [3, 4, 5, 6, 7, 8, 9]);

    /// <summary>The workers.</summary>
    /// <param name="run">The run.</param>
    /// <param name="node">Of this node alone; of all when it is none.</param>
    public static TextTable Workers(RunView run, int? node = null) => new(
        "Workers",
        ["worker", "node", "state", "leaves", "tokens/s", "compute", "wait", "leases", "lost"],
        [.. run.Workers.Where(worker => node is null || worker.Node == node).Select(worker => (string[])
        [
            $"{worker.Worker}", $"{worker.Node}", worker.State, Count(worker.Leaves), worker.TokensPerSecond is { } rate ? Count(rate) : "-",
            Duration(worker.ComputeSeconds), Duration(worker.WaitSeconds), $"{worker.LeasesOpen}", $"{worker.Failures}",
        ])],
        [3, 4, 5, 6, 7, 8]);

    /// <summary>The shards.</summary>
    public static TextTable Shards(RunView run) => new(
        "Shards",
        ["shard", "node", "state", "step", "replica", "at step", "lost"],
        [.. run.Shards.Select(shard => (string[])
        [
            $"{shard.Shard}", Or(shard.Node), shard.IsLive ? "there" : "lost", Or(shard.Step), Or(shard.Replica), Or(shard.ReplicaStep), $"{shard.Failures}",
        ])],
        [3, 5, 6]);

    /// <summary>The leases without an answer yet, the oldest first.</summary>
    public static TextTable Leases(RunView run) => new(
        "Leases",
        ["lease", "worker", "what", "since", ""],
        [.. run.Leases.OrderByDescending(lease => lease.Seconds).Select(lease => (string[])
        [
            lease.Lease, $"{lease.Worker}", lease.What, Duration(lease.Seconds), lease.IsCopy ? "second lease: the first is late" : "",
        ])],
        [3]);

    /// <summary>Who is there, of all that should be: who has left in order is not missed.</summary>
    private static string WorkersOf(RunView run)
    {
        var workers = run.Workers.Count(worker => worker.State is not "gone");
        var nodes = run.Nodes.Count(node => node.State is not "drained");
        return $"{run.Workers.Count(IsThere)} of {workers}, on {run.Nodes.Count(node => node.IsThere)} of {nodes} nodes";
    }

    private static bool IsThere(RunWorker worker) => worker.State is not ("lost" or "gone");

    private static string LastCommitted(RunView run) => run.LastCommittedStep is { } step ? $"last committed step {Count(step)}" : "none committed yet";

    private static string Survived(RunFaults faults) => faults is { Survived: 0, Restores: 0 }
        ? "nothing went wrong yet"
        : $"{Plural(faults.WorkersLost, "worker")}, {Plural(faults.NodesLost, "node")} and {Plural(faults.ShardsLost, "shard")} lost; "
            + $"{Plural(faults.Restores, "restore")}, {Plural(faults.Epochs, "new epoch")}, {Plural(faults.MessagesDropped, "message")} dropped";

    private static string Plural(long count, string thing) => count == 1 ? $"1 {thing}" : $"{Count(count)} {thing}s";

    private static string Count(double value) => value.ToString("N0");

    private static string Or<T>(T? value)
        where T : struct => value?.ToString() ?? "-";

    private static string Duration(double? seconds) => seconds switch
    {
        null => "-",
        < 1 => $"{seconds * 1e3:F0} ms",
        < 60 => $"{seconds:F1} s",
        < 3600 => $"{(int)(seconds / 60)} min {(int)seconds % 60:D2} s",
        _ => $"{(int)(seconds / 3600)} h {(int)(seconds / 60) % 60:D2} min",
    };

    private static string Bytes(double bytes) => bytes switch
    {
        < 1e3 => $"{bytes:F0} B",
        < 1e6 => $"{bytes / 1e3:F1} kB",
        < 1e9 => $"{bytes / 1e6:F1} MB",
        _ => $"{bytes / 1e9:F2} GB",
    };
}
