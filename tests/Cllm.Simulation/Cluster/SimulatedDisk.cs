using Cllm.Model.Checkpoints;
using Cllm.Model.Files;
using Cllm.Simulation.Engine;
using Cllm.Simulation.Faults;
using Cllm.Tests.Checkpoints;

namespace Cllm.Simulation.Cluster;

/// <summary>The disk under a run's checkpoints, and what happens to it.</summary>
internal sealed class SimulatedDisk
{
    private const string Folder = "/run";
    private const int WriteOperationsMax = 60;
    private const int Kept = 2;

    private readonly SimulatedCluster _cluster;
    private readonly MemoryFileStore _store = new();

    public SimulatedDisk(SimulatedCluster cluster)
    {
        _cluster = cluster;
        IFileStore files = cluster.Scenario.Plant == PlantedFault.RenamedBeforeFlush ? new UnflushedFileStore(_store) : _store;
        Checkpoints = new(files, Folder, Kept);
    }

    public CheckpointStore Checkpoints { get; }

    /// <summary>The newest step whose checkpoint was written, and has not been damaged since.</summary>
    public long Lasting { get; private set; } = -1;

    /// <summary>The newest step that has a checkpoint, good or not; 0 when there is none.</summary>
    public long Newest => Checkpoints.ListSteps() is [.., var newest] ? newest : 0;

    /// <summary>Decides what goes wrong with the checkpoint that is about to be written.</summary>
    public void BeforeWrite()
    {
        var (dice, scenario) = (_cluster.Dice, _cluster.Scenario);
        if (!_cluster.IsFaulty)
        {
            return;
        }

        if (dice.Chance(scenario.Rate(FaultKind.CrashAmidWrite)))
        {
            _cluster.Count(FaultKind.CrashAmidWrite);
            _store.LosePowerAfter(dice.Below(WriteOperationsMax));
        }
        else if (dice.Chance(scenario.Rate(FaultKind.DiskFull)))
        {
            _cluster.Count(FaultKind.DiskFull);
            _store.CapacityBytes = _store.UsedBytes + dice.Below(4000);
        }
    }

    /// <summary>A checkpoint was written.</summary>
    public void AfterWrite(long step)
    {
        Lasting = step;
        Reset();
    }

    /// <summary>The disk was full; now it is not.</summary>
    public void AfterFailure() => Reset();

    /// <summary>The writing process died: sometimes because the power went.</summary>
    public void AfterDeath()
    {
        Reset();
        if (_cluster.Dice.Chance(0.5))
        {
            LosePower();
        }
    }

    /// <summary>Only what was flushed is certain to be there.</summary>
    public void LosePower() => _store.Restart(new Random(_cluster.Dice.Below(int.MaxValue)));

    /// <summary>The run has been told that a checkpoint is there.</summary>
    public void Reported(long step) =>
        SimulationViolation.Unless(Checkpoints.ListSteps().Contains(step) || Lasting != step, "checkpoints", $"that of step {step} was reported and is not there");

    /// <summary>What was written and flushed is found again.</summary>
    public void CheckFound(long step) =>
        SimulationViolation.Unless(step >= Lasting, "checkpoints", $"that of step {Lasting} was written, and the newest good one is of step {step}");

    /// <summary>Reads the newest checkpoint that can be read. Sometimes none can, and sometimes the newest cannot although it is good.</summary>
    public long Read(Func<long> restore)
    {
        if (!_cluster.Strikes(FaultKind.ReadFailure))
        {
            var step = restore();
            CheckFound(step);
            return step;
        }

        if (_cluster.Dice.Chance(0.5))
        {
            throw new StorageException("the checkpoints cannot be read");
        }

        _store.UnreadableFolder = Checkpoints.PathOf(Newest);
        try
        {
            return restore();
        }
        finally
        {
            _store.UnreadableFolder = null;
        }
    }

    /// <summary>Cuts or changes a file of the newest checkpoint.</summary>
    public void Damage()
    {
        var steps = Checkpoints.ListSteps();
        if (steps.Count == 0)
        {
            return;
        }

        _cluster.Count(FaultKind.CheckpointDamage);
        string[] names = [CheckpointFolder.WeightsName, CheckpointFolder.OptimizerName, CheckpointFolder.StateName];
        var path = Checkpoints.PathOf(steps[^1]) + "/" + names[_cluster.Dice.Below(names.Length)];
        var bytes = _store.Bytes(path).ToArray();
        if (bytes.Length == 0 || _cluster.Dice.Chance(0.5))
        {
            bytes = bytes[.._cluster.Dice.Below(bytes.Length + 1)];
        }
        else
        {
            bytes[_cluster.Dice.Below(bytes.Length)] ^= (byte)(1 << _cluster.Dice.Below(8));
        }

        _store.Overwrite(path, bytes);
        Lasting = -1;
    }

    private void Reset()
    {
        _store.LosePowerAfter(int.MaxValue);
        _store.CapacityBytes = long.MaxValue;
    }
}
