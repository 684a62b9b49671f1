using System.Text;
using Cllm.Model.Files;
using Cllm.Tests.Checkpoints;

namespace Cllm.Tests.Files;

public sealed class AtomicTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string FilePath => _folder.At("file");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_written_file_replaces_the_old_one_and_leaves_no_temporary()
    {
        AtomicFile.Write(DiskFileStore.Instance, FilePath, "old"u8);
        AtomicFile.Write(DiskFileStore.Instance, FilePath, "new"u8);
        Assert.Equal("new", File.ReadAllText(FilePath));
        Assert.Equal(["file"], DiskFileStore.Instance.List(_folder.FullPath));
    }

    [Fact]
    public void A_file_given_up_leaves_the_old_one_and_no_temporary()
    {
        AtomicFile.Write(DiskFileStore.Instance, FilePath, "old"u8);
        using (var file = AtomicFile.Begin(DiskFileStore.Instance, FilePath))
        {
            file.Writer.Write("half"u8);
        }

        Assert.Equal("old", File.ReadAllText(FilePath));
        Assert.Equal(["file"], DiskFileStore.Instance.List(_folder.FullPath));
    }

    [Fact]
    public void Two_writers_of_one_file_at_once_are_refused()
    {
        using var first = AtomicFile.Begin(DiskFileStore.Instance, FilePath);
        Assert.Throws<StorageException>(() => AtomicFile.Begin(DiskFileStore.Instance, FilePath));
        first.Writer.Write("first"u8);
        first.Commit();
        Assert.Equal("first", File.ReadAllText(FilePath));
    }

    [Fact]
    public void A_folder_appears_whole_in_place_of_the_old_one()
    {
        Fill("old").Dispose();
        Assert.Empty(DiskFileStore.Instance.List(_folder.FullPath));
        using (var folder = Fill("first"))
        {
            folder.Commit();
        }

        using (var folder = Fill("second"))
        {
            Assert.Equal("first", File.ReadAllText(_folder.At("f/content")));
            folder.Commit();
        }

        Assert.Equal("second", File.ReadAllText(_folder.At("f/content")));
        Assert.Equal(["f"], DiskFileStore.Instance.List(_folder.FullPath));
    }

    [Fact]
    public void A_file_survives_power_lost_at_any_moment_as_old_or_new()
    {
        for (int moment = 0; moment < 6; moment++)
        {
            for (int seed = 0; seed < 30; seed++)
            {
                var store = new MemoryFileStore();
                store.CreateFolder("/d");
                AtomicFile.Write(store, "/d/file", "old"u8);
                store.LosePowerAfter(moment);
                bool returned = moment == 5;
                try
                {
                    AtomicFile.Write(store, "/d/file", "new"u8);
                    Assert.True(returned);
                }
                catch (PowerLostException)
                {
                    Assert.False(returned);
                }

                store.Restart(new Random(seed));
                string content = Encoding.ASCII.GetString(store.Bytes("/d/file"));
                Assert.True(content == "new" || (content == "old" && !returned), $"Moment {moment}, seed {seed}: found {content}.");
            }
        }
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_named()
    {
        File.WriteAllText(FilePath, "in the way");
        var e = Assert.Throws<StorageException>(() => DiskFileStore.Instance.CreateFolder(Path.Combine(FilePath, "inner")));
        Assert.Contains(FilePath, e.Message);
    }

    [Fact]
    public void A_full_disk_is_named_with_the_space_left()
    {
        // On Linux this device refuses every write for lack of space; elsewhere the failure is made by hand.
        var e = OperatingSystem.IsLinux()
            ? Assert.Throws<StorageException>(() =>
            {
                using var file = DiskFileStore.Instance.Create("/dev/full");
                file.Write("x"u8);
            })
            : StorageException.While("/dev/full", new IOException("No space left on device", 28));
        Assert.Contains("/dev/full could not be written because the disk is full", e.Message);
        Assert.Contains("MB free", e.Message);
    }

    [Fact]
    public void A_missing_folder_lists_nothing_and_deletes_without_complaint()
    {
        Assert.Empty(DiskFileStore.Instance.List(_folder.At("none")));
        DiskFileStore.Instance.Delete(_folder.At("none"));
        DiskFileStore.Instance.Delete(_folder.At("none/inner"));
    }

    private AtomicFolder Fill(string content)
    {
        var folder = AtomicFolder.Begin(DiskFileStore.Instance, _folder.At("f"));
        using var file = DiskFileStore.Instance.Create(Path.Combine(folder.TemporaryPath, "content"));
        file.Write(Encoding.ASCII.GetBytes(content));
        file.FlushToDisk();
        return folder;
    }
}
