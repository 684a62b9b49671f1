using System.Buffers.Binary;
using Cllm.Model;
using Cllm.Model.Files;
using Cllm.Tests.Checkpoints;
using FsCheck;
using FsCheck.Xunit;

namespace Cllm.Tests.Files;

public sealed class SafetensorsTests : IDisposable
{
    private const string Good =
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},""" +
        """ "b":{"dtype":"F32","shape":[],"data_offsets":[8,12]}}""";

    private readonly TemporaryFolder _folder = new();

    private string FilePath => _folder.At("x.safetensors");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Tensors_come_back_bit_for_bit_in_their_order()
    {
        float[] odd = [float.NaN, -0f, float.Epsilon, float.PositiveInfinity, 1.1f, -2.5f];
        SafetensorsBytes.Write(FilePath, ("z", [2, 3], odd), ("a", [], [7f]), ("empty", [0, 5], []));
        using var reader = SafetensorsReader.Open(FilePath);
        Assert.Equal(["z", "a", "empty"], reader.Tensors.Select(t => t.Name));
        Assert.Equal([2L, 3], reader.Find("z")!.Dimensions);
        var back = SafetensorsBytes.ReadAll(FilePath);
        Assert.Equal(odd.Select(BitConverter.SingleToInt32Bits), back["z"].Select(BitConverter.SingleToInt32Bits));
        Assert.Equal([7f], back["a"]);
        Assert.Empty(back["empty"]);
    }

    [Property(MaxTest = 50)]
    public void Any_tensors_come_back(NonNegativeInt[] lengths, int seed)
    {
        var random = new Random(seed);
        var written = lengths
            .Select((n, i) => ($"t{i}", new[] { n.Get }, Enumerable.Range(0, n.Get).Select(_ => random.NextSingle()).ToArray()))
            .ToArray();
        SafetensorsBytes.Write(FilePath, written);
        var back = SafetensorsBytes.ReadAll(FilePath);
        Assert.Equal(written.Length, back.Count);
        Assert.All(written, t => Assert.Equal(t.Item3, back[t.Item1]));
    }

    [Fact]
    public void Data_starts_at_a_multiple_of_eight_bytes()
    {
        for (int length = 1; length < 20; length++)
        {
            SafetensorsBytes.Write(FilePath, (new string('n', length), [1], [1f]));
            ulong header = BinaryPrimitives.ReadUInt64LittleEndian(File.ReadAllBytes(FilePath));
            Assert.Equal(0u, header % 8);
            Assert.Equal((long)header + 12, new FileInfo(FilePath).Length);
        }
    }

    [Fact]
    public void Metadata_comes_back()
    {
        using (var file = DiskFileStore.Instance.Create(FilePath))
        {
            _ = new SafetensorsWriter(file, [], [new("format", "pt"), new("note", "ä \"b\"")]);
        }

        using var reader = SafetensorsReader.Open(FilePath);
        Assert.Equal(new Dictionary<string, string> { ["format"] = "pt", ["note"] = "ä \"b\"" }, reader.Metadata);
        Assert.Empty(reader.Tensors);
    }

    [Fact]
    public void A_tensor_out_of_turn_is_a_bug_and_says_so()
    {
        using var file = DiskFileStore.Instance.Create(FilePath);
        var writer = new SafetensorsWriter(file, [("a", [2]), ("b", [1])]);
        Assert.Throws<InvalidOperationException>(() => writer.Write("b", [1f]));
        Assert.Throws<InvalidOperationException>(() => writer.Write("a", [1f]));
        writer.Write("a", [1f, 2f]);
        Assert.Throws<InvalidOperationException>(writer.Complete);
    }

    [Theory]
    [InlineData("F16", new byte[] { 0x00, 0x3C, 0x00, 0xC0, 0x01, 0x00 }, new[] { 1f, -2f, 5.9604645e-8f })]
    [InlineData("BF16", new byte[] { 0x80, 0x3F, 0x00, 0xC0, 0x49, 0x40 }, new[] { 1f, -2f, 3.140625f })]
    [InlineData("F64", new byte[] { 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x9A, 0x99, 0x99, 0x99, 0x99, 0x99, 0xB9, 0x3F }, new[] { 1f, 0.1f })]
    public void Other_precisions_become_single(string type, byte[] data, float[] expected)
    {
        File.WriteAllBytes(FilePath, SafetensorsBytes.Of(OneTensor(type, expected.Length, data.Length), data));
        Assert.Equal(expected, SafetensorsBytes.ReadAll(FilePath)["t"]);
    }

    [Fact]
    public void Half_precision_longer_than_a_buffer_is_read_whole()
    {
        const int Count = 700_001;
        byte[] data = new byte[Count * 2];
        BinaryPrimitives.WriteHalfLittleEndian(data.AsSpan(data.Length - 2), (Half)3);
        File.WriteAllBytes(FilePath, SafetensorsBytes.Of(OneTensor("F16", Count, data.Length), data));
        float[] values = SafetensorsBytes.ReadAll(FilePath)["t"];
        Assert.Equal(3f, values[^1]);
        Assert.Equal(0f, values[^2]);
    }

    [Fact]
    public void A_tensor_of_whole_numbers_may_be_there_and_cannot_be_read()
    {
        File.WriteAllBytes(FilePath, SafetensorsBytes.Of("""{"mask":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", [1, 2, 3]));
        using var reader = SafetensorsReader.Open(FilePath);
        var e = Assert.Throws<InputException>(() => reader.Read(reader.Find("mask")!, new float[3]));
        Assert.Contains("mask", e.Message);
        Assert.Contains("U8", e.Message);
    }

    [Fact]
    public void A_tensor_beyond_two_gigabytes_is_read_without_reading_the_rest()
    {
        const long Before = 2_300_000_000;
        string header =
            $$$"""{"big":{"dtype":"U8","shape":[{{{Before}}}],"data_offsets":[0,{{{Before}}}]},""" +
            $$$""" "last":{"dtype":"F32","shape":[1],"data_offsets":[{{{Before}}},{{{Before + 4}}}]}}""";
        byte[] start = SafetensorsBytes.Of(header, []);
        using (var file = File.Create(FilePath))
        {
            file.Write(start);
            // A hole: the file system stores nothing for it.
            file.Position = start.Length + Before;
            file.Write(BitConverter.GetBytes(42f));
        }

        using var reader = SafetensorsReader.Open(FilePath);
        float[] value = new float[1];
        reader.Read(reader.Find("last")!, value);
        Assert.Equal(42f, value[0]);
    }

    [Theory]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}}""", "w", "needs 8 bytes and has 12")]
    [InlineData("""{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", "w", "[0, 16] of 12")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}}""", "w", "[8, 4] of 12")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", "w", "[0] of 12")]
    [InlineData("""{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", "w", "whole numbers")]
    [InlineData("""{"w":{"dtype":"F32","shape":[0.5],"data_offsets":[0,4]}}""", "w", "whole numbers")]
    [InlineData("""{"w":{"dtype":"F32","shape":3,"data_offsets":[0,12]}}""", "w", "whole numbers")]
    [InlineData("""{"w":{"dtype":"F31","shape":[3],"data_offsets":[0,12]}}""", "w", "F31")]
    [InlineData("""{"w":{"dtype":5,"shape":[3],"data_offsets":[0,12]}}""", "w", "dtype")]
    [InlineData("""{"w":{"shape":[3],"data_offsets":[0,12]}}""", "w", "lacks \"dtype\"")]
    [InlineData("""{"w":{"dtype":"F32","data_offsets":[0,12]}}""", "w", "lacks \"shape\"")]
    [InlineData("""{"w":[]}""", "w", "Array")]
    [InlineData("""{"w":{"dtype":"F32","dtype":"F32","shape":[3],"data_offsets":[0,12]}}""", "w", "twice")]
    [InlineData(
        """{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},""" +
        """ "w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""",
        "w", "twice")]
    [InlineData(
        """{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},""" +
        """ "v":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""",
        "v", "ends at 8")]
    [InlineData(
        """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},""" +
        """ "v":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""",
        "v", "ends at 4")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "x", "describes")]
    [InlineData("""{"w":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,12]}}""", "w", "larger than any file")]
    [InlineData(
        """{"w":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807],"data_offsets":[0,12]}}""",
        "w", "larger than any file")]
    [InlineData("""{"w":{"dtype":"F32","shape":[4611686018427387907],"data_offsets":[0,12]}}""", "w", "larger than any file")]
    [InlineData("""{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,99999999999999999999]}}""", "w", "whole numbers")]
    [InlineData("""{"__metadata__":{"n":1},"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""", "__metadata__", "\"n\" = 1")]
    [InlineData("""[]""", "x", "Array")]
    [InlineData("""{"w":""", "x", "not valid JSON")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}""", "x", "not valid JSON")]
    [InlineData("""{"w":{"\ud800":1}}""", "w", "invalid name")]
    public void A_false_header_is_refused_by_name(string header, string tensor, string fault)
    {
        File.WriteAllBytes(FilePath, SafetensorsBytes.Of(header, new byte[12]));
        var e = Assert.Throws<InputException>(() => SafetensorsReader.Open(FilePath));
        Assert.StartsWith(FilePath, e.Message);
        Assert.Contains(tensor, e.Message);
        Assert.Contains(fault, e.Message);
    }

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1ul << 63)]
    [InlineData(1ul << 40)]
    [InlineData(200ul)]
    public void A_header_longer_than_the_file_is_refused_before_memory_is_taken(ulong length)
    {
        File.WriteAllBytes(FilePath, SafetensorsBytes.Of(length, Good, new byte[12]));
        var e = Assert.Throws<InputException>(() => SafetensorsReader.Open(FilePath));
        Assert.Contains($"claims {length} bytes", e.Message);
    }

    [Fact]
    public void A_file_that_is_not_there_is_named()
    {
        var e = Assert.Throws<InputException>(() => SafetensorsReader.Open(_folder.At("none")));
        Assert.Contains(_folder.At("none"), e.Message);
        Assert.Throws<InputException>(() => SafetensorsReader.Open(_folder.FullPath));
    }

    [Fact]
    public void Control_characters_of_a_strange_file_do_not_reach_the_terminal()
    {
        const string Header = """{"\u001b[31m":{"dtype":"F32","shape":[1],"data_offsets":[0,12]}}""";
        File.WriteAllBytes(FilePath, SafetensorsBytes.Of(Header, new byte[12]));
        var e = Assert.Throws<InputException>(() => SafetensorsReader.Open(FilePath));
        Assert.DoesNotContain('\u001b', e.Message);
    }

    [Fact]
    public void Any_one_bit_flipped_in_the_header_is_read_or_refused_and_never_crashes()
    {
        byte[] content = SafetensorsBytes.Of(Good, new byte[12]);
        int refused = 0;
        for (int bit = 0; bit < (content.Length - 12) * 8; bit++)
        {
            content[bit / 8] ^= (byte)(1 << (bit % 8));
            refused += ReadOrRefuse(content) ? 0 : 1;
            content[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.InRange(refused, 500, (content.Length - 12) * 8);
    }

    [Property(MaxTest = 500)]
    public void Several_bytes_changed_are_read_or_refused_and_never_crash(NonEmptyArray<(NonNegativeInt Place, byte Value)> changes)
    {
        byte[] content = SafetensorsBytes.Of(Good, new byte[12]);
        foreach (var (place, value) in changes.Get)
        {
            content[place.Get * 31 % content.Length] = value;
        }

        ReadOrRefuse(content);
    }

    [Fact]
    public void A_file_cut_at_any_byte_is_refused()
    {
        byte[] content = SafetensorsBytes.Of(Good, new byte[12]);
        for (int length = 0; length < content.Length; length++)
        {
            Assert.False(ReadOrRefuse(content[..length]), $"A file cut to {length} bytes was read.");
        }

        Assert.True(ReadOrRefuse(content));
    }

    [Property(MaxTest = 300)]
    public void Any_bytes_are_read_or_refused(byte[] bytes) => ReadOrRefuse(bytes);

    private static string OneTensor(string type, int length, int bytes) =>
        $$$"""{"t":{"dtype":"{{{type}}}","shape":[{{{length}}}],"data_offsets":[0,{{{bytes}}}]}}""";

    private static bool ReadOrRefuse(byte[] content)
    {
        var store = new MemoryFileStore();
        store.CreateFolder("/d");
        store.Create("/d/x").Dispose();
        store.Overwrite("/d/x", content);
        try
        {
            using var reader = SafetensorsReader.Open(store, "/d/x");
            foreach (var tensor in reader.Tensors)
            {
                reader.Read(tensor, new float[tensor.Length]);
            }

            return true;
        }
        catch (InputException)
        {
            return false;
        }
    }
}
