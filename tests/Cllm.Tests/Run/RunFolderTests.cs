using Cllm.Model;
using Cllm.Model.Files;
using Cllm.Model.Run;
using Cllm.Tests.Files;

namespace Cllm.Tests.Run;

public sealed class RunFolderTests : IDisposable
{
    private static readonly RunConfiguration Sample = SampleConfiguration.Configuration;
    private static readonly RunOptions Options = SampleConfiguration.Options;
    private static readonly DateTimeOffset Now = new(2024, 2, 29, 13, 5, 7, TimeSpan.FromHours(2));

    private readonly TemporaryFolder _folder = new();

    private string Path => _folder.At("run");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_new_run_describes_itself()
    {
        using var run = Create();
        var read = RunFolder.Read(Path);
        Assert.Equal(Sample, read.Configuration);
        Assert.Equal(Options, read.Options);
        Assert.Equal(Now, read.Created);
        Assert.Equal("0.1.0", read.ProgramVersion);
        Assert.Equal(Environment.Version.ToString(), read.DotnetVersion);
        Assert.Equal(ConfigurationDigest.Of(Sample), run.ConfigurationDigest);
        Assert.Equal(["run.json", "run.lock"], DiskFileStore.Instance.List(Path));
    }

    [Fact]
    public void Equal_runs_have_equal_descriptions()
    {
        Create().Dispose();
        RunFolder.Create(_folder.At("other"), Sample, Options, Now, Nothing).Dispose();
        Assert.Equal(File.ReadAllBytes(_folder.At("run/run.json")), File.ReadAllBytes(_folder.At("other/run.json")));
    }

    [Fact]
    public void The_same_run_is_not_started_twice()
    {
        Create().Dispose();
        Assert.Contains("--resume", Assert.Throws<InputException>(Create).Message);
    }

    [Fact]
    public void Another_run_is_refused_with_the_first_difference()
    {
        Create().Dispose();
        var other = Sample with { Leaves = 4 };
        var e = Assert.Throws<InputException>(() => RunFolder.Create(Path, other, Options, Now, Nothing));
        Assert.Contains("holds another run: --leaves is 2 there and 4 here", e.Message);
        e = Assert.Throws<InputException>(() => RunFolder.Resume(Path, other, Options));
        Assert.Contains("--leaves is 2 there and 4 here", e.Message);
        Assert.Equal(Sample, RunFolder.Read(Path).Configuration);
    }

    [Fact]
    public void A_folder_of_other_files_is_refused_and_left_alone()
    {
        Directory.CreateDirectory(Path);
        File.WriteAllText(_folder.At("run/thesis.txt"), "mine");
        Assert.Contains("thesis.txt", Assert.Throws<InputException>(Create).Message);
        Assert.Equal(["thesis.txt"], DiskFileStore.Instance.List(Path));
    }

    [Fact]
    public void A_file_in_its_place_is_refused()
    {
        File.WriteAllText(Path, "a file");
        Assert.Contains("is a file and no folder", Assert.Throws<InputException>(Create).Message);
    }

    [Fact]
    public void A_start_that_was_killed_can_be_repeated()
    {
        Directory.CreateDirectory(Path);
        File.WriteAllText(_folder.At("run/run.lock"), "");
        File.WriteAllText(_folder.At("run/run.json.tmp"), "{");
        Create().Dispose();
        Assert.Equal(["run.json", "run.lock"], DiskFileStore.Instance.List(Path));
    }

    [Fact]
    public void A_start_that_was_killed_before_it_was_a_run_leaves_no_run()
    {
        Assert.Throws<IOException>(() => RunFolder.Create(Path, Sample, Options, Now, _ => throw new IOException("killed"), "tokens.bin"));
        Assert.False(RunFolder.Holds(Path));
        File.WriteAllText(_folder.At("run/tokens.bin"), "");
        File.WriteAllText(_folder.At("run/tokens.bin.tmp"), "");
        RunFolder.Create(Path, Sample, Options, Now, Nothing, "tokens.bin").Dispose();
        Assert.True(RunFolder.Holds(Path));
    }

    [Fact]
    public void Files_of_a_runs_names_in_a_folder_that_no_run_began_in_are_left_alone()
    {
        Directory.CreateDirectory(Path);
        File.WriteAllText(_folder.At("run/tokens.bin"), "mine");
        var e = Assert.Throws<InputException>(() => RunFolder.Create(Path, Sample, Options, Now, Nothing, "tokens.bin"));
        Assert.Contains("tokens.bin", e.Message);
        Assert.Equal("mine", File.ReadAllText(_folder.At("run/tokens.bin")));
    }

    [Fact]
    public void Going_on_keeps_the_start_and_takes_the_new_options()
    {
        Create().Dispose();
        var more = Options with { Workers = 64, ThreadsPerWorker = 1 };
        using var run = RunFolder.Resume(Path, Sample, more);
        Assert.Equal(more, RunFolder.Read(Path).Options);
        Assert.Equal(Now, run.Description.Created);
    }

    [Fact]
    public void There_is_nothing_to_go_on_with_in_an_empty_folder()
    {
        var e = Assert.Throws<InputException>(() => RunFolder.Resume(Path, Sample, Options));
        Assert.Contains("There is no run in", e.Message);
        Assert.False(Directory.Exists(Path));
    }

    [Fact]
    public void Two_processes_cannot_train_in_one_folder()
    {
        using (Create())
        {
            var e = Assert.Throws<InputException>(() => RunFolder.Resume(Path, Sample, Options));
            Assert.Contains("Another process is training in", e.Message);
            Assert.Equal(Sample, RunFolder.Read(Path).Configuration);
        }

        RunFolder.Resume(Path, Sample, Options).Dispose();
    }

    [Fact]
    public void A_configuration_changed_by_hand_is_refused()
    {
        Create().Dispose();
        string file = _folder.At("run/run.json");
        File.WriteAllText(file, File.ReadAllText(file).Replace("\"steps\": 300", "\"steps\": 600"));
        Assert.Contains("was changed", Assert.Throws<InputException>(() => RunFolder.Read(Path)).Message);
    }

    [Fact]
    public void A_description_cut_at_any_byte_is_refused()
    {
        Create().Dispose();
        string file = _folder.At("run/run.json");
        byte[] whole = File.ReadAllBytes(file);
        // Without its last newline it is still whole.
        for (int length = 0; length < whole.Length - 1; length++)
        {
            File.WriteAllBytes(file, whole[..length]);
            Assert.Throws<InputException>(() => RunFolder.Read(Path));
        }
    }

    private RunFolder Create() => RunFolder.Create(Path, Sample, Options, Now, Nothing);

    private static void Nothing(string folder)
    {
        // The folder needs no file.
    }
}
