namespace Cllm.Actors.Channel;

/// <summary>
/// Says that a store has changed. A pulse between looking and waiting is not lost, because waiting names the version looked at.
/// </summary>
public sealed class TensorSignal
{
    private readonly object _gate = new();
    private long _version;

    /// <summary>Pulses so far. Read it before looking at what might have changed.</summary>
    public long Version => Volatile.Read(ref _version);

    /// <summary>Called on the pulsing thread after every pulse.</summary>
    internal event Action? Pulsed;

    /// <summary>
    /// Something changed. Never called while holding a lock that a reader takes: readers may be called before this returns.
    /// </summary>
    public void Pulse()
    {
        lock (_gate)
        {
            _version++;
            Monitor.PulseAll(_gate);
        }

        Pulsed?.Invoke();
    }

    /// <summary>Waits for a pulse after a version.</summary>
    /// <param name="version">The version that was looked at.</param>
    /// <param name="milliseconds">How long at most.</param>
    internal void WaitBeyond(long version, int milliseconds)
    {
        lock (_gate)
        {
            if (_version == version)
            {
                Monitor.Wait(_gate, milliseconds);
            }
        }
    }
}
