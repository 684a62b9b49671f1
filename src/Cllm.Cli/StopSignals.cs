using System.Runtime.InteropServices;

namespace Cllm.Cli;

/// <summary>
/// While it lives, the first Ctrl-C or SIGTERM asks the command to finish what it must not leave half done, and the second ends the
/// process at once. Before and after, a signal has its usual effect.
/// </summary>
public sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly CancellationTokenRegistration _outside;
    private readonly PosixSignalRegistration[] _registrations = [];
    private int _received;

    /// <summary>Starts to listen.</summary>
    /// <param name="listen">Whether signals to this process are meant for the command.</param>
    /// <param name="outside">Asks the same as the first signal.</param>
    public StopSignals(bool listen, CancellationToken outside)
    {
        _outside = outside.Register(_source.Cancel);
        if (listen)
        {
            _registrations =
            [
                PosixSignalRegistration.Create(PosixSignal.SIGINT, Receive),
                PosixSignalRegistration.Create(PosixSignal.SIGTERM, Receive),
            ];
        }
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }

        // The source is not disposed: a signal may be on its way yet, on a thread of its own.
        _outside.Dispose();
    }

    /// <summary>Takes a signal: the first one asks, and the others are left to their usual effect.</summary>
    public void Receive(PosixSignalContext context)
    {
        if (Interlocked.Increment(ref _received) == 1)
        {
            context.Cancel = true;
            _source.Cancel();
        }
    }
}
