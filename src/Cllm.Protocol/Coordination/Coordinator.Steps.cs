using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Tree;

namespace Cllm.Protocol.Coordination;

/// <content>One step: lease the leaves, order the reduction, commit, and see every slice updated.</content>
public sealed partial class Coordinator
{
    private readonly int[] _allLeaves;
    private readonly ShardMember[] _shards;

    /// <summary>The plan for all leaves, kept while the number of workers stays the same.</summary>
    private LeafNode[][] _fullPlan = [];

    /// <summary>Where the gradients are that the shards were told to add.</summary>
    private ReductionSource[] _sources = [];

    /// <summary>The scalars of the step that is committed.</summary>
    private Payload _scalars = Payload.Empty;

    /// <summary>The first step that was never done before: those below it are repeated after going back to a checkpoint.</summary>
    private Step _furthest;

    private long _stepStartedTicks;

    private void StartStep()
    {
        Phase = CoordinatorPhase.Computing;
        _stepStartedTicks = _nowTicks;
        Progress();
        BeginLeases(_settings.Leaves);
        EndPassingOver();
        LeasePending();
        PlanMove(mayWait: true);
    }

    /// <summary>Leases what no valid lease covers to the workers that are there, as evenly as possible.</summary>
    private void LeasePending()
    {
        if (_leases.Pending == 0)
        {
            return;
        }

        if (_assignable.Length == 0)
        {
            SayOnce($"step {Fence.Step} waits for a worker: {_leases.Pending} of {_leases.Units} units are not leased");
            return;
        }

        if (Phase == CoordinatorPhase.Evaluating)
        {
            LeaseEvaluation();
        }
        else
        {
            LeaseLeaves();
            TellExpected();
        }

        if (_leases.Given > _settings.LeasesPerStepMax)
        {
            End(RunOutcome.Failed,
                $"step {Fence.Step} needed more than {_settings.LeasesPerStepMax} leases: workers are lost faster than they compute");
        }
    }

    private void LeaseLeaves()
    {
        var plan = PlanOf(_assignable.Length);
        var most = 0;
        foreach (var nodes in plan)
        {
            most = Math.Max(most, nodes.Length);
        }

        // Everybody's first lease before anybody's second: all begin at once.
        for (var at = 0; at < most; at++)
        {
            for (var i = 0; i < plan.Length; i++)
            {
                if (at < plan[i].Length)
                {
                    var (member, node) = (_assignable[i], plan[i][at]);
                    Lease(member, _leases.Give(member.Worker, LeafTree.First(node), _tree.Count(node), node, _nowTicks));
                }
            }
        }
    }

    /// <summary>Who fetches gradients begins with it while they are computed.</summary>
    private void TellExpected()
    {
        if (_settings.AreGradientsFetched && Phase == CoordinatorPhase.Computing)
        {
            Tell(Destination.EveryShard, new GradientsExpected(Fence.Epoch, Fence.Step, _leases.Expected()));
        }
    }

    private LeafNode[][] PlanOf(int workers)
    {
        if (_leases.Pending < _leases.Units)
        {
            return LeafPlan.Share(_tree, _leases.PendingUnits(), workers, _settings.NodesPerWorkerMin);
        }

        if (_fullPlan.Length != workers)
        {
            _fullPlan = LeafPlan.Share(_tree, _allLeaves, workers, _settings.NodesPerWorkerMin);
        }

        return _fullPlan;
    }

    private void TakeAnswer(LeaseAnswer answer)
    {
        var member = _workers[answer.Worker.Number];
        Answered(member, answer.Lease);
        if (_leases.Take(answer) is { } loser)
        {
            Outran(loser);
        }

        if (!_leases.Complete)
        {
            Occupy(member);
            return;
        }

        _lateTicks = long.MaxValue;
        if (Phase == CoordinatorPhase.Evaluating)
        {
            Phase = CoordinatorPhase.CombiningEvaluation;
            _effects.Add(new CombineEvaluation(Fence.Epoch, Fence.Step, _leases.Join()));
        }
        else
        {
            OrderReduction();
        }
    }

    /// <summary>All gradients are there: if all shards are too, and whole, they add them.</summary>
    private void OrderReduction()
    {
        Invariant.Holds(Phase == CoordinatorPhase.Computing && _leases.Complete, "a reduction is ordered once all gradients are there");
        if (!AreShardsLive() || _restoreReason is not null || _moving is not null)
        {
            return;
        }

        Phase = CoordinatorPhase.Reducing;
        _sources = _leases.Sources();
        foreach (var shard in _shards)
        {
            (shard.Reduced, shard.IsUpdated, shard.IsUpdating) = (null, false, false);
            OrderReduction(shard);
        }
    }

    private void OrderReduction(ShardMember shard) =>
        Tell(Destination.Of(shard.Shard), new ReductionOrdered(Fence.Epoch, Fence.Step, _sources, shard.Incarnation));

    /// <summary>
    /// Takes the order to reduce back, for gradients or a shard are lost; the shards' answers to it are fenced off by a new epoch.
    /// </summary>
    private void RevokeReduction(string reason)
    {
        if (Phase is CoordinatorPhase.Reducing or CoordinatorPhase.Combining)
        {
            Phase = CoordinatorPhase.Computing;
            BeginEpoch(reason);
        }
    }

    private void TakeReduced(ShardReduced reduced)
    {
        _shards[reduced.Shard.Number].Reduced = reduced.Payload;
        if (Array.TrueForAll(_shards, shard => shard.Reduced is not null))
        {
            Phase = CoordinatorPhase.Combining;
            var norms = Payload.Join(Array.ConvertAll(_shards, shard => shard.Reduced!));
            _effects.Add(new CombineStatistics(Fence.Epoch, Fence.Step, _leases.Join(), norms));
        }
    }

    private void Commit(Payload scalars)
    {
        Phase = CoordinatorPhase.Applying;
        _scalars = scalars;
        foreach (var shard in _shards)
        {
            shard.IsUpdating = true;
        }

        Tell(Destination.EveryShard, new StepCommitted(Fence.Epoch, Fence.Step, scalars));
    }

    private void TakeUpdated(ShardMember shard)
    {
        (shard.IsUpdated, shard.IsUpdating) = (true, false);
        if (_restoreReason is not null)
        {
            TryRestore();
            return;
        }

        if (Array.TrueForAll(_shards, other => other.IsUpdated))
        {
            EndStep();
        }
    }

    private void EndStep()
    {
        var done = Fence.Step;
        Fence.Step = done.Next;
        _effects.Add(new Persist(Fence.Epoch, Fence.Step));
        if (done.Number >= _furthest.Number)
        {
            _furthest = Fence.Step;
            ForgiveFailures();
            _effects.Add(new StepReported(done, _scalars, _nowTicks - _stepStartedTicks));
        }

        _isCheckpointDue |= IsCheckpointStep;
        Continue();
    }
}
