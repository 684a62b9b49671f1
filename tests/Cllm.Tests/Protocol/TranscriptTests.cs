namespace Cllm.Tests.Protocol;

public sealed class TranscriptTests
{
    public static TheoryData<string> All => new(Transcript.Names());

    [Theory]
    [MemberData(nameof(All))]
    public void A_machine_does_what_its_transcript_says(string name)
    {
        var transcript = Transcript.Load(name);
        if (Environment.GetEnvironmentVariable("CLLM_ACCEPT_TRANSCRIPTS") == "1")
        {
            transcript.Accept();
        }

        var replayed = transcript.Replay();
        Assert.True(
            replayed.SequenceEqual(Transcript.Load(name).Lines),
            $"{name}: the machine gives\n{string.Join('\n', replayed)}");
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Every_effect_is_persisted_before_it_is_sent_and_sent_before_work_starts(string name)
    {
        var rank = 0;
        foreach (var line in Transcript.Load(name).Lines)
        {
            if (line.StartsWith('<'))
            {
                var next = Rank(TranscriptText.Words(line)[1]);
                Assert.True(next >= rank, line);
                rank = next;
            }
            else
            {
                rank = 0;
            }
        }
    }

    private static int Rank(string name) => name switch
    {
        "Persist" => 0,
        "ComputeNode" or "EvaluateUnits" or "ReleaseBuffers" or "WorkerLeft" or "ReduceSlice" or "UpdateSlice" or "CombineStatistics" or "CombineEvaluation"
            or "TakeCheckpoint" or "Restore" or "RunEnded" or "SendSlice" or "AnnounceMembers" or "StartShard" or "NodeRefused"
            or "StopShard" or "NodeLeft" or "ExpectGradients" => 2,
        _ => 1,
    };
}
