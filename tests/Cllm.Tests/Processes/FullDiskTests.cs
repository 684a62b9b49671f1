using System.Text.RegularExpressions;

namespace Cllm.Tests.Processes;

/// <summary>A disk without room on the real program.</summary>
[Collection("Processes")]
public sealed partial class FullDiskTests : IDisposable
{
    private static readonly string[] Small = [.. TrainingFolder.Odd, "--steps", "400", "--checkpoint-every", "20", "--workers", "2"];

    private readonly TrainingFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [TmpfsFact]
    public void A_full_disk_ends_in_one_sentence_and_with_space_the_run_goes_on_to_the_same_bits()
    {
        Child.Run(_folder.Begin("whole", Small)).Well();
        Directory.CreateDirectory(_folder.At("disk"));

        // Room for two checkpoints of 160 KB and not for the third.
        using var child = Child.Shell(
            """
            program=$1 disk=$2; shift 2
            export program disk
            exec unshare --user --map-root-user --mount sh -c '
                mount -t tmpfs -o size=480k tmpfs "$disk" || exit 99
                dotnet "$program" "$@"
                echo "code $?, $(echo $(ls "$disk/run/checkpoints"))"
                mount -o remount,size=20m "$disk" || exit 99
                exec dotnet "$program" train --resume --out "$disk/run"' sh "$@"
            """,
            [Child.Program, _folder.At("disk"), .. _folder.Begin("disk/run", Small)]);
        Ended ended = child.Wait();
        Assert.Equal(0, ended.Code);
        string sentence = ended.Sentence();
        Assert.Contains("disk is full", sentence);

        // A checkpoint that is due while another is being written comes some steps later, so only how many there are is certain.
        Match kept = CodeAndCheckpoints().Match(ended.Output);
        Assert.True(kept.Success, ended.Output);
        int newest = kept.Groups["step"].Captures.Max(step => int.Parse(step.Value));
        Assert.InRange(newest, 40, 399);
        Assert.Contains($"Going on after step {newest} of 400.", ended.Output);
        Assert.Contains(_folder.Digest("whole"), ended.Output);
    }

    [TmpfsFact]
    public void A_run_that_finds_no_room_for_its_data_leaves_nothing_behind()
    {
        Directory.CreateDirectory(_folder.At("disk"));
        using var child = Child.Shell(
            """
            program=$1 disk=$2; shift 2
            export program disk
            exec unshare --user --map-root-user --mount sh -c '
                mount -t tmpfs -o size=4k tmpfs "$disk" || exit 99
                dotnet "$program" "$@"
                code=$?
                ls "$disk" | sed "s/^/left: /"
                exit "$code"' sh "$@"
            """,
            [Child.Program, _folder.At("disk"), .. _folder.Begin("disk/run", Small)]);
        Ended ended = child.Wait();
        Assert.Equal(1, ended.Code);
        Assert.Contains("disk is full", ended.Sentence());
        Assert.DoesNotContain("left: ", ended.Output);
    }

    [GeneratedRegex(@"code 1,( step-(?<step>\d+)){2}\n")]
    private static partial Regex CodeAndCheckpoints();
}
