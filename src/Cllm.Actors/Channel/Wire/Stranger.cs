using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Cllm.Actors.Channel.Wire;

/// <summary>
/// A connection whose other end has not yet said who it is. It has no thread: the doorkeeper tells it when its socket has bytes, and it
/// reads as many as a hello needs and no more.
/// </summary>
internal sealed class Stranger : IDisposable
{
    private readonly Socket _socket;
    private readonly SocketStream _stream;
    private readonly byte[] _bytes = new byte[FrameHeader.Bytes + Hello.Bytes];
    private SslStream? _secure;
    private string? _objection;

    public Stranger(Socket socket, long now)
    {
        (_socket, Since) = (socket, now);
        _stream = new(socket);
        Address = (socket.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.Loopback;
    }

    public Socket Socket => _socket;

    public IPAddress Address { get; }

    /// <summary>When it connected, in milliseconds of the system's uptime.</summary>
    public long Since { get; }

    /// <summary>Ends when the stranger has been let in (none) or has not (the reason).</summary>
    public Task<string?> Judgement { get; private set; } = Task.FromResult<string?>(null);

    /// <summary>Whether it has closed the connection by itself and nothing was found against it: nodes do that as well, when they have called in vain.</summary>
    public bool HasHungUp => _stream.IsOver && _objection is null;

    /// <summary>The connection of a stranger who has been let in.</summary>
    public LaneConnection? Connection { get; private set; }

    /// <summary>Who it says it is.</summary>
    public Hello Hello { get; private set; }

    /// <summary>Begins to listen to it.</summary>
    /// <param name="tls">TLS; plain when not given.</param>
    /// <param name="credential">What it must know.</param>
    /// <param name="run">Digest of the run it must be working on.</param>
    /// <param name="admit">Whether there is room for it.</param>
    public void Begin(ChannelTls? tls, ReadOnlyMemory<byte> credential, ReadOnlyMemory<byte> run, Func<Hello, RefusalReason> admit) =>
        Judgement = JudgeAsync(tls, credential, run, admit);

    /// <summary>Its socket has bytes, or its end.</summary>
    public void Readable() => _stream.Readable();

    /// <summary>Turns it away without a farewell: a reset leaves nothing behind that would have to wait.</summary>
    public void Dispose()
    {
        try
        {
            _socket.LingerState = new LingerOption(true, 0);
        }
        catch (Exception failure) when (LaneConnection.IsOfConnection(failure))
        {
            // It has gone by itself.
        }

        // First the socket, which ends what is under way; then TLS, whose memory the collector does not see.
        _stream.Dispose();
        _secure?.Dispose();
    }

    private async Task<string?> JudgeAsync(
        ChannelTls? tls, ReadOnlyMemory<byte> credential, ReadOnlyMemory<byte> run, Func<Hello, RefusalReason> admit)
    {
        try
        {
            if (tls is not null)
            {
                _secure = new SslStream(_stream);
                await _secure.AuthenticateAsServerAsync(tls.ForServer(reason => _objection = reason)).ConfigureAwait(false);
            }

            Stream stream = _secure is null ? _stream : _secure;
            await stream.ReadExactlyAsync(_bytes.AsMemory(0, FrameHeader.Bytes)).ConfigureAwait(false);
            if (!FrameHeader.TryRead(_bytes, out var header, out var fault) || header.Type != FrameType.Hello)
            {
                return fault == FrameFault.Version ? Answer(stream, RefusalReason.OtherVersion) : $"what it said is no hello ({fault})";
            }

            await stream.ReadExactlyAsync(_bytes.AsMemory(FrameHeader.Bytes)).ConfigureAwait(false);
            if (Answer(stream, Judge(header, credential.Span, run.Span, admit)) is { } reason)
            {
                return reason;
            }

            Connection = new(_socket, _secure);
            return null;
        }
        catch (Exception) when (_objection is not null)
        {
            return _objection;
        }
        catch (Exception failure)
        {
            // Bytes of a stranger may break whatever reads them; that is its end and nobody else's.
            return failure.Message;
        }
    }

    private RefusalReason Judge(
        in FrameHeader header, ReadOnlySpan<byte> credential, ReadOnlySpan<byte> run, Func<Hello, RefusalReason> admit)
    {
        var payload = _bytes.AsSpan(FrameHeader.Bytes);
        if (!Hello.TryRead(header, payload, out var hello))
        {
            return RefusalReason.Malformed;
        }

        if (!CryptographicOperations.FixedTimeEquals(Hello.Credential(payload), credential))
        {
            return RefusalReason.WrongCredential;
        }

        Hello = hello;
        return Hello.Run(payload).SequenceEqual(run) ? admit(hello) : RefusalReason.OtherRun;
    }

    private static string? Answer(Stream stream, RefusalReason reason)
    {
        Span<byte> welcome = stackalloc byte[FrameHeader.Bytes];
        new FrameHeader(FrameType.Welcome, 0, 0, 0, 0, 0, 0, 0, 0, (byte)reason, 0).Write(welcome);
        stream.Write(welcome);
        return reason == RefusalReason.None ? null : $"it was refused ({reason})";
    }
}
