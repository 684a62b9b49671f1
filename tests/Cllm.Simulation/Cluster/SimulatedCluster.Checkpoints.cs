using Cllm.Model;
using Cllm.Model.Files;
using Cllm.Simulation.Faults;
using Cllm.Tests.Checkpoints;

namespace Cllm.Simulation.Cluster;

/// <content>Checkpoints of nodes that have disks of their own: who may come to coordinate copies them.</content>
internal sealed partial class SimulatedCluster
{
    /// <summary>Some of those that may come to coordinate copy a checkpoint, after a while.</summary>
    public void Follow(SimulatedNode from, long step)
    {
        if (!Scenario.HasOwnDisks || from.Disk.Checkpoints.StateOf(step) is not { } state)
        {
            return;
        }

        var source = from.Process;
        foreach (var node in Nodes.AsSpan(0, Scenario.NodesToCoordinate))
        {
            if (node != from && node.IsUp && Dice.Chance(0.7))
            {
                In(node, Dice.Between(Tenth, 30 * Scenario.Second), () =>
                {
                    if (from.Process == source && Network.Reaches(from, node) && !HasCoordinated(node))
                    {
                        Copy(from, node, step, state);
                    }
                });
            }
        }
    }

    /// <summary>One that has coordinated writes its own checkpoints, and copies nobody's.</summary>
    private bool HasCoordinated(SimulatedNode node) => Leader?.Node == node || _deposed.Exists(former => former.IsAlive && former.Node == node);

    private void Copy(SimulatedNode from, SimulatedNode to, long step, byte[] state)
    {
        try
        {
            to.Disk.BeforeWrite();
            using (var copy = to.Process!.Host.BeginCopy(step, state))
            {
                foreach (var (name, bytes) in copy?.Files ?? [])
                {
                    using var source = from.Disk.Checkpoints.OpenFile(step, name);
                    using var file = copy!.Create(name);
                    var content = new byte[bytes];
                    source.Read(0, content);
                    file.Write(content);
                    file.FlushToDisk();
                }

                copy?.Commit();
            }

            to.Disk.AfterWrite(step);
        }
        catch (Exception failure) when (failure is StorageException or InputException)
        {
            to.Disk.AfterFailure();
        }
        catch (PowerLostException)
        {
            to.Disk.AfterDeath();
            Crash(to);
        }
    }
}
