using Cllm.Protocol.Identity;

namespace Cllm.Protocol;

/// <summary>Why an input was dropped.</summary>
public enum DropReason
{
    /// <summary>It was not dropped.</summary>
    None,

    /// <summary>It belongs to an epoch that is over.</summary>
    OlderEpoch,

    /// <summary>It belongs to an epoch that has not begun here.</summary>
    NewerEpoch,

    /// <summary>It belongs to a step that is over.</summary>
    OlderStep,

    /// <summary>It belongs to a step that has not begun here.</summary>
    NewerStep,

    /// <summary>Its lease is void, unknown, or another worker's.</summary>
    VoidLease,

    /// <summary>It was taken before.</summary>
    Duplicate,

    /// <summary>Nothing of its kind is awaited now.</summary>
    NotAwaited,

    /// <summary>It comes from an incarnation that is gone, or from nobody known.</summary>
    UnknownSender,

    /// <summary>It is for another incarnation of this machine.</summary>
    OtherIncarnation,

    /// <summary>There is no room for it; it will be sent again.</summary>
    NoRoom,

    /// <summary>It says again what is known: nothing changes, and nothing is wrong. Not counted.</summary>
    Known,

    /// <summary>Another worker answered first.</summary>
    Outrun,

    /// <summary>Its node was not admitted, or not yet.</summary>
    NotAdmitted,

    /// <summary>The machine is done.</summary>
    Finished,
}

/// <summary>
/// The one place where inputs that belong to another attempt are told from those that are awaited, and where dropped ones are counted.
/// </summary>
public sealed class Fence
{
    private readonly long[] _dropped = new long[Enum.GetValues<DropReason>().Length];

    /// <summary>The epoch that holds.</summary>
    public Epoch Epoch { get; internal set; }

    /// <summary>The step that is worked on.</summary>
    public Step Step { get; internal set; }

    /// <summary>How many inputs were dropped for a reason.</summary>
    public long Dropped(DropReason reason) => _dropped[(int)reason];

    /// <summary>
    /// Where an input stands against the epoch and step that hold: none when it is of both. The epoch counts first, for a new epoch may go
    /// back to an older step.
    /// </summary>
    internal DropReason Compare(StepInput input)
    {
        if (input.Epoch != Epoch)
        {
            return input.Epoch.Number < Epoch.Number ? DropReason.OlderEpoch : DropReason.NewerEpoch;
        }

        if (input.Step != Step)
        {
            return input.Step.Number < Step.Number ? DropReason.OlderStep : DropReason.NewerStep;
        }

        return DropReason.None;
    }

    /// <summary>For machines that follow the coordinator: takes over a newer epoch and step.</summary>
    /// <returns>None, or why the input is too old.</returns>
    internal DropReason Follow(StepInput input)
    {
        var position = Compare(input);
        if (position is DropReason.OlderEpoch or DropReason.OlderStep)
        {
            return position;
        }

        (Epoch, Step) = (input.Epoch, input.Step);
        return DropReason.None;
    }

    /// <summary>For machines that follow the coordinator: takes over a newer epoch, whose steps have yet to be heard of.</summary>
    /// <returns>None, or that the epoch is over.</returns>
    internal DropReason Follow(Epoch epoch)
    {
        if (epoch.Number < Epoch.Number)
        {
            return DropReason.OlderEpoch;
        }

        Step = epoch == Epoch ? Step : default;
        Epoch = epoch;
        return DropReason.None;
    }

    /// <summary>
    /// Counts a dropped input, and says so the first, second, fourth, eighth … time that the reason comes up: a storm of late messages is no storm of notes. What comes when
    /// the machine is done is counted only: every run ends with some of it.
    /// </summary>
    internal void Drop(DropReason reason, Input input, EffectList effects)
    {
        var count = ++_dropped[(int)reason];
        if ((count & (count - 1)) == 0 && reason != DropReason.Finished)
        {
            var about = input is StepInput fenced ? $" of epoch {fenced.Epoch}, step {fenced.Step}" : "";
            effects.Add(new Note(
                $"dropped {input.GetType().Name}{about} at epoch {Epoch}, step {Step}: {Sentence(reason)} ({count} so far)"));
        }
    }

    private static string Sentence(DropReason reason) => reason switch
    {
        DropReason.OlderEpoch => "its epoch is over",
        DropReason.NewerEpoch => "its epoch has not begun here",
        DropReason.OlderStep => "its step is over",
        DropReason.NewerStep => "its step has not begun here",
        DropReason.VoidLease => "its lease is void",
        DropReason.Duplicate => "it was taken before",
        DropReason.NotAwaited => "nothing of its kind is awaited now",
        DropReason.UnknownSender => "its sender is gone or unknown",
        DropReason.OtherIncarnation => "it is for another incarnation",
        DropReason.NoRoom => "there is no room for it",
        DropReason.Outrun => "another worker answered first",
        DropReason.NotAdmitted => "its node is not admitted",
        _ => throw Invariant.Broken($"no sentence for {reason}"),
    };
}
