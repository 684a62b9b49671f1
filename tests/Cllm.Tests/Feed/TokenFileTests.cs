using System.Security.Cryptography;
using Cllm.Model;
using Cllm.Model.Feed;
using Cllm.Tests.Text;

namespace Cllm.Tests.Feed;

public sealed class TokenFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string TokensPath => _folder.File("tokens.bin");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Ids_that_were_written_are_read_back_from_any_place()
    {
        int[] ids = [.. Enumerable.Range(0, 200_000).Select(i => (int)(i * 2654435761L >> 7 & 0xFFFF))];
        TokenFile.Write(TokensPath, ids);
        using TokenFile file = TokenFile.Open(TokensPath, 65536);
        Assert.Equal(ids.Length, file.Length);
        foreach ((int start, int count) in new[] { (0, 200_000), (0, 1), (199_999, 1), (65_530, 17), (200_000, 0) })
        {
            var read = new int[count];
            file.Read(start, read);
            Assert.Equal(ids[start..(start + count)], read);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(199_999, new int[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read(-1, new int[2]));
    }

    [Fact]
    public void Ids_in_memory_are_read_like_those_of_a_file()
    {
        int[] ids = [.. Enumerable.Range(0, 70_000).Select(i => (int)(i * 2654435761L >> 7 & 0xFFFF))];
        TokenFile.Write(TokensPath, ids);
        using TokenFile file = TokenFile.Open(TokensPath, 65536), memory = TokenFile.Of("a text", ids);
        var read = new int[ids.Length];
        memory.Read(0, read);
        Assert.Equal(ids, read);
        Assert.Equal((file.Length, file.Digest()), (memory.Length, memory.Digest()));
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Read(69_999, new int[2]));
        Assert.Contains("a text is empty", Assert.Throws<InputException>(() => TokenFile.Of("a text", [])).Message);
        Assert.Contains("16 bits", Assert.Throws<InputException>(() => TokenFile.Of("a text", [65536])).Message);
    }

    [Fact]
    public void Ids_are_little_endian_and_the_digest_is_that_of_the_bytes()
    {
        TokenFile.Write(TokensPath, [1, 258, 65535]);
        byte[] bytes = File.ReadAllBytes(TokensPath);
        Assert.Equal([1, 0, 2, 1, 255, 255], bytes);
        using TokenFile file = TokenFile.Open(TokensPath, 65536);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), file.Digest());
    }

    [Fact]
    public void A_file_is_replaced_whole_and_leaves_nothing_beside_it()
    {
        TokenFile.Write(TokensPath, [1, 2, 3]);
        TokenFile.Write(TokensPath, [4]);
        Assert.Equal([TokensPath], Directory.GetFiles(_folder.Path));
        Assert.Equal([4, 0], File.ReadAllBytes(TokensPath));
        Assert.Throws<InputException>(() => TokenFile.Write(TokensPath, [1, 65536]));
        Assert.Equal([4, 0], File.ReadAllBytes(TokensPath));
    }

    [Theory]
    [InlineData(new byte[] { }, "is empty")]
    [InlineData(new byte[] { 1, 0, 2 }, "3 bytes, an odd number")]
    [InlineData(new byte[] { 1, 0, 10, 0, 9, 0 }, "Token 1 of ", "id 10,", "vocabulary of 10", "--vocab at least 11")]
    public void A_file_that_cannot_be_used_is_refused_with_its_reason(byte[] bytes, params string[] expected)
    {
        File.WriteAllBytes(TokensPath, bytes);
        string sentence = Assert.Throws<InputException>(() => TokenFile.Open(TokensPath, 10)).Message;
        Assert.All(expected.Append(TokensPath), part => Assert.Contains(part, sentence, StringComparison.Ordinal));
    }

    [Fact]
    public void An_id_far_into_the_file_is_found()
    {
        var ids = new int[150_000];
        ids[140_001] = 7;
        TokenFile.Write(TokensPath, ids);
        string sentence = Assert.Throws<InputException>(() => TokenFile.Open(TokensPath, 7)).Message;
        Assert.Contains("Token 140001 of ", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_to_a_file_is_read_as_the_file()
    {
        TokenFile.Write(TokensPath, [.. Enumerable.Range(0, 500)]);
        File.CreateSymbolicLink(_folder.File("link.bin"), TokensPath);
        using TokenFile file = TokenFile.Open(_folder.File("link.bin"), 500);
        Assert.Equal(500, file.Length);
    }

    [Fact]
    public void Missing_files_and_folders_are_named()
    {
        string sentence = Assert.Throws<InputException>(() => TokenFile.Open(TokensPath, 10)).Message;
        Assert.Contains("There is no token file", sentence, StringComparison.Ordinal);
        string nowhere = _folder.File("none/tokens.bin");
        Assert.Contains(nowhere, Assert.Throws<Cllm.Model.Files.StorageException>(() => TokenFile.Write(nowhere, [1])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_closed_file_reads_no_more()
    {
        TokenFile.Write(TokensPath, [1]);
        TokenFile file = TokenFile.Open(TokensPath, 10);
        file.Dispose();
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Read(0, new int[1]));
        Assert.Throws<ObjectDisposedException>(file.Digest);
    }
}
