using System.Runtime.Serialization;
using Cllm.Actors.Wire;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Tree;

namespace Cllm.Tests.Wire;

public sealed class WireCodecTests
{
    public static TheoryData<string> Messages => [.. WireTypes.OfProgram.Messages.Select(type => type.FullName!)];

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_message_comes_out_as_it_went_in(string name)
    {
        var type = WireTypes.OfProgram.Messages.Single(type => type.FullName == name);
        var random = new Random(7);
        for (var i = 0; i < 50; i++)
        {
            var message = Instances.Make(type, random);
            var read = WireCodec.OfProgram.Read(WireCodec.OfProgram.Write(message));
            Assert.NotSame(message, read);
            Assert.True(Instances.Same(message, read), $"{message} became {read}");
        }
    }

    [Fact]
    public void Every_message_of_the_protocol_is_listed()
    {
        var messages = typeof(IMessage).Assembly.GetTypes().Where(type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(IMessage)));
        Assert.Empty(messages.Except(WireTypes.OfProgram.Messages));
        Assert.Contains(typeof(ReductionOrdered), WireTypes.OfProgram.Messages);
    }

    [Fact]
    public void A_lease_is_short_on_the_wire()
    {
        var bytes = WireCodec.OfProgram.Write(new LeafLeased(new(1), new(2), new(3), new LeafNode(1, 0), new(1), new(3)));
        Assert.InRange(bytes.Length, 1, 80);
    }

    [Fact]
    public void No_name_of_a_type_is_on_the_wire()
    {
        var random = new Random(3);
        foreach (var type in WireTypes.OfProgram.Messages)
        {
            var text = System.Text.Encoding.Latin1.GetString(WireCodec.OfProgram.Write(Instances.Make(type, random)));
            Assert.DoesNotContain("Cllm", text, StringComparison.Ordinal);
            Assert.DoesNotContain("System.", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_is_not_listed_is_neither_written_nor_read()
    {
        var stranger = new WireCodec(new([typeof(Stranger), typeof(LeafLeased), typeof(ShardUpdated)]));
        var refused = Assert.Throws<SerializationException>(() => WireCodec.OfProgram.Write(new Stranger("let me in")));
        Assert.Contains("Stranger", refused.Message, StringComparison.Ordinal);
        Assert.Throws<SerializationException>(() => WireCodec.OfProgram.Write(new Epoch(3)));
        Assert.Throws<SerializationException>(() => WireCodec.OfProgram.Read(stranger.Write(new Stranger("let me in"))));
        Assert.NotEqual(WireCodec.OfProgram.Format, stranger.Format);
    }

    [Fact]
    public void A_listed_part_is_no_message()
    {
        var place = WireTypes.OfProgram.All.ToList().IndexOf(typeof(Epoch));
        byte[] epoch = [254, (byte)place, (byte)(place >> 8), 1, 0, 0, 0, 0, 0, 0, 0];
        Assert.Throws<SerializationException>(() => WireCodec.OfProgram.Read(epoch));
    }

    [Fact]
    public void A_length_that_the_bytes_do_not_have_costs_nothing()
    {
        var bytes = WireCodec.OfProgram.Write(new ShardReduced(new(1), new(2), new(0), Payload.Of([1, 2, 3])));
        var at = bytes.AsSpan().IndexOf((ReadOnlySpan<byte>)[252, 2, 3, 0, 0, 0]) + 2;
        BitConverter.TryWriteBytes(bytes.AsSpan(at), int.MaxValue);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<SerializationException>(() => WireCodec.OfProgram.Read(bytes));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    /// <summary>Hyperion would follow three bytes a level, until the stack is used up and the process is gone.</summary>
    [Fact]
    public void Messages_nested_in_each_other_are_refused_before_they_are_followed()
    {
        var place = WireTypes.OfProgram.All.ToList().IndexOf(typeof(StepCommitted));
        byte[] level = [254, (byte)place, (byte)(place >> 8)];
        byte[] bytes = [.. Enumerable.Repeat(level, WireCodec.PayloadBytesMax / 3).SelectMany(part => part)];
        Assert.Throws<SerializationException>(() => WireCodec.OfProgram.Read(bytes));
    }

    [Fact]
    public void A_message_beyond_the_bound_is_neither_written_nor_read()
    {
        var large = new ShardReduced(new(1), new(2), new(0), Payload.Of(new long[WireCodec.PayloadBytesMax / sizeof(long)]));
        Assert.Throws<SerializationException>(() => WireCodec.OfProgram.Write(large));
        Assert.Throws<SerializationException>(() => WireCodec.OfProgram.Read(new byte[WireCodec.PayloadBytesMax + 1]));
    }

    [Fact]
    public void A_null_where_none_may_be_is_refused()
    {
        var bytes = WireCodec.OfProgram.Write(new WorkerLost(new(1), new(1), "why"));
        var text = bytes.AsSpan().IndexOf("\u0004why"u8);
        Assert.Throws<SerializationException>(() => WireCodec.OfProgram.Read([.. bytes[..text], 0, .. bytes[(text + 4)..]]));
    }

    [Theory]
    [InlineData(typeof(HoldsObject))]
    [InlineData(typeof(HoldsOpenType))]
    [InlineData(typeof(HoldsList))]
    [InlineData(typeof(HoldsItself))]
    public void A_message_that_cannot_be_checked_is_found_when_the_list_is_made(Type type) =>
        Assert.Throws<InvalidOperationException>(() => new WireTypes([type]));

    /// <summary>At length by <c>./fuzz</c>.</summary>
    [Fact]
    public void Fuzzed_payloads_never_break_the_codec_and_nothing_is_accepted_that_was_not_written_so()
    {
        var found = WireFuzz.Run(Number("CLLM_FUZZ_BYTES", 300_000), (ulong)Number("CLLM_FUZZ_SEED", 1));
        Assert.True(found.Accepted > 0 && found.Refused > found.Accepted, found.ToString());
    }

    private static long Number(string variable, long otherwise) => long.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : otherwise;

    private sealed record Stranger(string Text);

    private sealed record HoldsObject(object Anything);

    private record Open(int Number);

    private sealed record Closed(int Number) : Open(Number);

    private sealed record HoldsOpenType(Open Open);

    private sealed record HoldsList(List<int> Numbers);

    private sealed record HoldsItself(HoldsItself[] Inner, int Number);
}
