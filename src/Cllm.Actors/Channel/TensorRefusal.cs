namespace Cllm.Actors.Channel;

/// <summary>Why the other side does not give what was asked for. Its numbers travel; new ones go to the end.</summary>
public enum RefusalReason : byte
{
    /// <summary>It is not refused.</summary>
    None = 0,

    /// <summary>It is not there yet, and the wait is over. Asking again is in order.</summary>
    NotYet = 1,

    /// <summary>It was there once: the step is past, the buffer released.</summary>
    Gone = 2,

    /// <summary>This node has no such shard, blob, worker or buffer.</summary>
    Unknown = 3,

    /// <summary>The range does not lie within the shard or blob, or the sources do not make up the node.</summary>
    WrongRange = 4,

    /// <summary>The request's epoch is not the one this node lives in.</summary>
    WrongEpoch = 5,

    /// <summary>It changed while it was read, so what arrived of it is worthless.</summary>
    Withdrawn = 6,

    /// <summary>The node has as many lanes as it allows.</summary>
    Busy = 7,

    /// <summary>The credential is not the one this node gave out.</summary>
    WrongCredential = 8,

    /// <summary>The node works on another run.</summary>
    OtherRun = 9,

    /// <summary>The node speaks another version of the channel.</summary>
    OtherVersion = 10,

    /// <summary>The request cannot be read.</summary>
    Malformed = 11,

    /// <summary>Reading failed there by a mistake or a failure of its own.</summary>
    Failed = 12,

    /// <summary>The certificate of one side is not accepted by the other.</summary>
    Certificate = 13,
}

/// <summary>A reason and a sentence for people.</summary>
/// <param name="Reason">The reason; None means that nothing is refused.</param>
/// <param name="Sentence">One sentence; at most 200 bytes of it travel.</param>
public readonly record struct TensorRefusal(RefusalReason Reason, string Sentence)
{
    /// <summary>Nothing is refused.</summary>
    public static TensorRefusal None => new(RefusalReason.None, "");
}

/// <summary>How a fetch ended.</summary>
public enum FetchOutcome : byte
{
    /// <summary>All bytes are in the destination, checked, and the other side has confirmed that they belong together.</summary>
    Done = 0,

    /// <summary>The other side said no; see the reason.</summary>
    Refused = 1,

    /// <summary>The connection could not be opened, broke, or was silent for too long. The peer may be dead.</summary>
    Lost = 2,

    /// <summary><see cref="ITensorLane.Cancel"/> or disposal ended it.</summary>
    Cancelled = 3,

    /// <summary>The other side answered something that was not asked for, or bytes whose checksum is wrong.</summary>
    Mismatch = 4,
}

/// <summary>How a fetch ended, and why. After any outcome but Done the destination holds anything.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Reason">Why it was refused; None for other outcomes.</param>
/// <param name="Sentence">What went wrong, in one sentence; empty when done.</param>
public readonly record struct FetchResult(FetchOutcome Outcome, RefusalReason Reason, string Sentence)
{
    /// <summary>All is well.</summary>
    public static FetchResult Done => new(FetchOutcome.Done, RefusalReason.None, "");

    /// <summary>The caller ended it.</summary>
    public static FetchResult Cancelled => new(FetchOutcome.Cancelled, RefusalReason.None, "The fetch was cancelled.");

    /// <summary>The other side said no.</summary>
    public static FetchResult Refused(TensorRefusal refusal) => new(FetchOutcome.Refused, refusal.Reason, refusal.Sentence);

    /// <summary>The connection is gone.</summary>
    public static FetchResult Lost(string sentence) => new(FetchOutcome.Lost, RefusalReason.None, sentence);

    /// <summary>The answer is not an answer to the request.</summary>
    public static FetchResult Mismatch(string sentence) => new(FetchOutcome.Mismatch, RefusalReason.None, sentence);
}
