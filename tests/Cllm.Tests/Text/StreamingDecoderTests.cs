using System.Text;
using Cllm.Model.Text;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Cllm.Tests.Text;

public sealed class StreamingDecoderTests
{
    [Fact]
    public void A_character_appears_when_its_last_byte_has_arrived()
    {
        var decoder = new StreamingDecoder(new ByteTokenizer());
        byte[] bytes = Encoding.UTF8.GetBytes("é😀");
        Assert.Equal(["", "é", "", "", "", "😀"], bytes.Select(value => decoder.Append(value)));
        Assert.Equal("", decoder.Flush());
    }

    [Fact]
    public void An_unfinished_character_is_replaced_at_the_end()
    {
        var decoder = new StreamingDecoder(new ByteTokenizer());
        Assert.Equal("", decoder.Append(0xF0));
        Assert.Equal("", decoder.Append(0x9F));
        Assert.Equal("\uFFFD", decoder.Flush());
    }

    [Property(MaxTest = 500)]
    public Property All_pieces_in_a_row_are_the_whole_decoded_at_once() =>
        Prop.ForAll(Gen.Frequency((1, Gen.Choose(0, 127)), (4, Gen.Choose(128, 255))).ArrayOf().ToArbitrary(), ids =>
        {
            var tokenizer = new ByteTokenizer();
            var decoder = new StreamingDecoder(tokenizer);
            string streamed = string.Concat(ids.Select(decoder.Append)) + decoder.Flush();
            Assert.Equal(tokenizer.Decode(ids), streamed);
        });
}
