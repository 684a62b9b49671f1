using Akka.Configuration;
using Cllm.Actors;
using Cllm.Actors.Bootstrap;
using Cllm.Actors.Cluster;
using Cllm.Actors.Inspection;
using Cllm.Actors.Local;
using Cllm.Cli.Train;
using Cllm.Model.Compute;
using Cllm.Model.Run;
using Cllm.Protocol.Identity;

namespace Cllm.Cli.Node;

/// <summary>What `cllm train --listen` adds to a run: others can join it.</summary>
public static class StartedRun
{
    /// <summary>How the process listens, checked before a run's folder is made.</summary>
    /// <exception cref="Model.InputException">The address, the certificates or the configuration cannot be used.</exception>
    public static ClusterSystem Network(ClusterRequest request, Config hocon)
    {
        WhoMayJoin.Require(request.Listen, request.TlsPath is not null);
        var network = new ClusterSystem
        {
            Hocon = hocon,
            Listen = request.Listen,
            Certificates = request.TlsPath is null ? null : NodeCertificates.Load(request.TlsPath),
            Roles = [ClusterNode.CoordinatorRole, ClusterSystem.WorkerRole],
            Coordinators = request.Coordinators,
        };
        network.RequireFree();
        return network;
    }

    /// <summary>Trains until the run ends.</summary>
    /// <param name="network">How the process listens.</param>
    /// <param name="request">What the user asked.</param>
    /// <param name="run">The run.</param>
    /// <param name="first">Steps already done.</param>
    /// <param name="host">Its state, at that step.</param>
    /// <param name="observer">Hears what happens.</param>
    /// <param name="control">For whoever inspects the run; null when nobody does.</param>
    /// <param name="stop">Asks to finish the step, write a checkpoint and end.</param>
    public static async Task<TrainingEnd> TrainAsync(
        ClusterSystem network, ClusterRequest request, PreparedRun run, long first, RunHost host, ITrainingObserver observer, RunControl? control,
        CancellationToken stop)
    {
        RunConfiguration configuration = run.Configuration;
        if (request.Standbys > 0 && configuration.InitialWeightsDigest.Length > 0 && host.Checkpoints.ListSteps().Count == 0)
        {
            // Standbys copy checkpoints, and they have the given model from nowhere else.
            host.TakeSnapshot(first);
            host.WriteSnapshot(first);
        }

        using var blobs = new RunBlobs(run.Tokenizer?.Serialize() ?? [], TokenizedData.TokensPath(run.Folder.FolderPath));
        var settings = new ClusterSettings
        {
            Run = new RunIdentity(run.Folder.ConfigurationDigest, configuration.TokenizerDigest, RunIdentity.ProtocolVersion),
            Leaves = configuration.Leaves,
            Steps = configuration.Steps,
            Workers = run.Options.Workers,
            Shards = Hocon.Shards(network.Hocon),
            NodesToStart = request.WaitForNodes,
            NodesMin = request.MinNodes,
            FirstStep = first,
            EvaluateEvery = configuration.EvaluateEvery,
            CheckpointEvery = run.Options.CheckpointEvery,
            Name = run.Path,
            StepTokens = configuration.Batch * configuration.Shape.Block,
            Hocon = network.Hocon,
            Blobs = blobs,
        };
        var part = new ClusterPart
        {
            Network = network,
            Settings = settings,
            Invitation = new RunInvitation
            {
                ProgramVersion = ProgramVersion.Program,
                ProtocolVersion = RunIdentity.ProtocolVersion,
                Configuration = configuration,
                TokenizerBytes = blobs.TokenizerBytes,
                TokenBytes = blobs.TokenBytes,
                Coordinators = request.Coordinators,
                Shards = settings.Shards,
                CheckpointEvery = settings.CheckpointEvery,
                NodesMin = settings.NodesMin,
                ChannelNode = settings.Node.Number,
                ChannelHost = "",
                ChannelPort = 0,
                ChannelCredential = "",
            },
            Note = observer.Note,
            Control = control,
        };
        return await part.TakeAsync(host, observer, stop).ConfigureAwait(false);
    }
}
