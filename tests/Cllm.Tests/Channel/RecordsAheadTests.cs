using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Cllm.Actors.Channel.Wire;
using FsCheck;
using FsCheck.Fluent;

namespace Cllm.Tests.Channel;

/// <summary>Bytes received ahead of TLS: whatever the records are like, they come out as they went in.</summary>
public sealed class RecordsAheadTests : IDisposable
{
    private readonly Socket _sender = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket _receiver;

    public RecordsAheadTests()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _sender.Connect(listener.LocalEndPoint!);
        _receiver = listener.Accept();
        _receiver.ReceiveTimeout = 30_000;
    }

    public void Dispose()
    {
        _sender.Dispose();
        _receiver.Dispose();
    }

    [Fact]
    public void Every_byte_comes_out_in_order_and_never_two_records_at_once() => Prop.ForAll(
        Gen.Choose(0, ushort.MaxValue).NonEmptyListOf().ToArbitrary(),
        Gen.Choose(1, 3 * RecordsAhead.BytesMax / 2).NonEmptyListOf().ToArbitrary(),
        Gen.Choose(1, 40_000).NonEmptyListOf().ToArbitrary(),
        (payloads, writes, reads) =>
        {
            var bytes = payloads.SelectMany(Record).ToArray();
            var sending = Begin(() =>
            {
                for (int i = 0, at = 0; at < bytes.Length; i++)
                {
                    at += _sender.Send(bytes.AsSpan(at, Math.Min(writes[i % writes.Count], bytes.Length - at)));
                }
            });
            var ahead = new RecordsAhead(_receiver);
            var received = new List<byte>();
            var ends = payloads.Select((_, i) => payloads.Take(i + 1).Sum(static length => length + RecordsAhead.HeaderBytes)).ToArray();
            for (var i = 0; received.Count < bytes.Length; i++)
            {
                var buffer = new byte[reads[i % reads.Count]];
                var count = ahead.Read(buffer, out var error);
                Assert.Equal(SocketError.Success, error);
                Assert.InRange(received.Count + count, received.Count + 1, ends.First(end => end > received.Count));
                received.AddRange(buffer.AsSpan(0, count));
            }

            sending.Join();
            Assert.True(bytes.AsSpan().SequenceEqual(received.ToArray()));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(40));

    [Fact]
    public void An_empty_buffer_waits_for_bytes_and_takes_none()
    {
        var record = Record(10);
        var ahead = new RecordsAhead(_receiver);
        _sender.Send(record);
        Assert.Equal(0, ahead.Read([], out _));
        Assert.Equal(0, _receiver.Available);
        var buffer = new byte[100];
        Assert.Equal(record.Length, ahead.Read(buffer, out _));
        Assert.Equal(record, buffer[..record.Length]);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(200)]
    public void What_came_before_the_end_is_given_out_and_then_the_end(int length)
    {
        var part = Record(1_000)[..length];
        var ahead = new RecordsAhead(_receiver);
        _sender.Send(part);
        _sender.Shutdown(SocketShutdown.Send);
        var buffer = new byte[2_000];
        Assert.Equal(length, ahead.Read(buffer, out var error));
        Assert.Equal(SocketError.Success, error);
        Assert.Equal(part, buffer[..length]);
        Assert.Equal(0, ahead.Read(buffer, out error));
        Assert.Equal(SocketError.Success, error);
    }

    [Fact]
    public void Silence_in_the_middle_of_a_record_is_an_error_and_no_end()
    {
        _receiver.ReceiveTimeout = 1;
        var ahead = new RecordsAhead(_receiver);
        _sender.Send(Record(1_000).AsSpan(0, 4));
        Assert.Equal(0, ahead.Read(new byte[100], out var error));
        Assert.Contains(error, new[] { SocketError.TimedOut, SocketError.WouldBlock });
    }

    private static byte[] Record(int length)
    {
        var record = new byte[RecordsAhead.HeaderBytes + length];
        new Random(length).NextBytes(record);
        BinaryPrimitives.WriteUInt16BigEndian(record.AsSpan(RecordsAhead.HeaderBytes - sizeof(ushort)), (ushort)length);
        return record;
    }

    private static Thread Begin(ThreadStart action)
    {
        var thread = new Thread(action);
        thread.Start();
        return thread;
    }
}
