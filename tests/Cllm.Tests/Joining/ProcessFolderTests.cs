using Cllm.Cli.Node;
using Cllm.Model;
using Cllm.Tests.Files;

namespace Cllm.Tests.Joining;

public sealed class ProcessFolderTests : IDisposable
{
    private readonly TemporaryFolder _parent = new();

    private string Parent => _parent.At("");

    public void Dispose() => _parent.Dispose();

    [Fact]
    public void A_folder_whose_process_lives_stays_and_goes_with_it()
    {
        using (var folder = ProcessFolder.Create(Parent))
        {
            File.WriteAllText(Path.Combine(folder.FolderPath, "tokens"), "1 2 3");

            ProcessFolder.RemoveAbandoned(Parent);

            Assert.True(File.Exists(Path.Combine(folder.FolderPath, "tokens")));
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(Parent));
    }

    [Fact]
    public void A_folder_that_nobody_holds_is_removed()
    {
        var abandoned = Directory.CreateDirectory(Path.Combine(Parent, "cllm-node-0123456789ab")).FullName;
        File.WriteAllText(Path.Combine(abandoned, "tokens"), "1 2 3");
        File.WriteAllText(abandoned + ".lock", "");

        ProcessFolder.RemoveAbandoned(Parent);

        Assert.Empty(Directory.EnumerateFileSystemEntries(Parent));
    }

    [Fact]
    public void What_has_no_lock_may_be_somebodys_and_stays()
    {
        var unknown = Directory.CreateDirectory(Path.Combine(Parent, "cllm-node-unknown")).FullName;

        ProcessFolder.RemoveAbandoned(Parent);

        Assert.True(Directory.Exists(unknown));
    }

    [Fact]
    public void A_place_where_nothing_can_be_written_is_named()
    {
        var nowhere = Path.Combine(Parent, "nowhere");

        var sentence = Assert.Throws<InputException>(() => ProcessFolder.Create(nowhere)).Message;

        Assert.Contains(nowhere, sentence, StringComparison.Ordinal);
        Assert.Contains("TMPDIR", sentence, StringComparison.Ordinal);
    }
}
