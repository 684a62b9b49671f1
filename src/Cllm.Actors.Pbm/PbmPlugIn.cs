using Akka.Actor;
using Cllm.Actors.Inspection;
using Petabridge.Cmd.Cluster;
using Petabridge.Cmd.Host;
using Petabridge.Cmd.Remote;

namespace Cllm.Actors.Pbm;

/// <summary>Serves pbm commands for a run. <see cref="OperatorPlugIn"/> finds this type and its method by their names.</summary>
public static class PbmPlugIn
{
    /// <summary>Starts the host at the address that <c>petabridge.cmd</c> in the actor configuration names: 127.0.0.1:9110 unless it is changed.</summary>
    /// <param name="system">The run's actor system.</param>
    /// <param name="control">The run.</param>
    public static void Start(ActorSystem system, RunControl control)
    {
        var host = PetabridgeCmd.Get(system);
        if (system.Settings.ProviderClass.Contains("Cluster", StringComparison.OrdinalIgnoreCase))
        {
            host.RegisterCommandPalette(ClusterCommands.Instance);
            host.RegisterCommandPalette(new RemoteCommands());
        }

        host.RegisterCommandPalette(new CllmCommands(control));
        host.Start();
    }
}
