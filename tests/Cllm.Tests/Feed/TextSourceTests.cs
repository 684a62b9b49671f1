using System.Text;
using Cllm.Model;
using Cllm.Model.Feed;
using Cllm.Tests.Text;

namespace Cllm.Tests.Feed;

public sealed class TextSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_is_its_text_without_the_byte_order_mark()
    {
        Assert.Equal("é 😀\r\n", TextSource.Read(Put("a.text", "é 😀\r\n")));
        Assert.Equal("é", TextSource.Read(Put("b.txt", [0xEF, 0xBB, 0xBF, 0xC3, 0xA9])));
    }

    [Fact]
    public void A_folder_is_its_txt_files_in_ordinal_order_of_their_paths()
    {
        Put("b.txt", "3");
        Put("B.TXT", "1");
        Put("a/z.txt", "2");
        Put("a-c.txt", "-");
        Put("b/deep/er.txt", "4");
        Put("b/empty.txt", "");
        Put("a.md", "no");
        Assert.Equal("1\n\n-\n\n2\n\n3\n\n4", TextSource.Read(_folder.Path));
    }

    [Fact]
    public void A_link_to_a_folder_above_is_not_followed()
    {
        Put("sub/a.txt", "once");
        Directory.CreateSymbolicLink(_folder.File("sub/loop"), _folder.Path);
        Assert.Equal("once", TextSource.Read(_folder.Path));
    }

    [Theory]
    [InlineData(new byte[] { 0x61, 0xFF, 0x62 }, "0xFF at offset 1")]
    [InlineData(new byte[] { 0xC3, 0xA9, 0xE2, 0x82 }, "0xE2 at offset 2")]
    [InlineData(new byte[] { 0xEF, 0xBB, 0xBF, 0x61, 0xC0, 0x80 }, "0xC0 at offset 4")]
    [InlineData(new byte[] { 0xFF, 0xFE, 0x61, 0x00 }, "UTF-16")]
    public void Bytes_that_are_no_UTF8_are_named_with_their_file_and_place(byte[] bytes, string expected)
    {
        string path = Put("bad.txt", bytes);
        Refused(path, path, expected);
        Refused(_folder.Path, path, expected);
    }

    [Fact]
    public void What_gives_no_text_is_refused_with_its_reason()
    {
        Refused(_folder.File("none.txt"), "There is no file or folder", "none.txt");
        Refused(_folder.Path, "has no .txt file");
        string empty = Put("empty.txt", "");
        Refused(empty, "is empty");
        Refused(_folder.Path, "All 1 .txt files");
        Refused(Put("mark.txt", [0xEF, 0xBB, 0xBF]), "is empty");
    }

    private static void Refused(string path, params string[] expected)
    {
        string sentence = Assert.Throws<InputException>(() => TextSource.Read(path)).Message;
        Assert.All(expected, part => Assert.Contains(part, sentence, StringComparison.Ordinal));
    }

    private string Put(string name, string text) => Put(name, Encoding.UTF8.GetBytes(text));

    private string Put(string name, byte[] bytes)
    {
        string path = _folder.File(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }
}
