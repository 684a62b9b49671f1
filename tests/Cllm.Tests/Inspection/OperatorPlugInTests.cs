using Akka.Actor;
using Cllm.Actors.Inspection;
using Cllm.Tests.Files;

namespace Cllm.Tests.Inspection;

public sealed class OperatorPlugInTests
{
    [Fact]
    public void A_plug_in_that_is_not_there_is_not_missed()
    {
        using var folder = new TemporaryFolder();
        using var system = ActorSystem.Create("plain");
        Assert.Null(OperatorPlugIn.Start(system, new(), folder.FullPath));
    }

    [Fact]
    public void A_plug_in_that_cannot_be_loaded_is_one_sentence_and_no_end()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.At("Cllm.Actors.Pbm.dll"), "no assembly");
        using var system = ActorSystem.Create("plain");
        var sentence = OperatorPlugIn.Start(system, new(), folder.FullPath);
        Assert.NotNull(sentence);
        Assert.StartsWith("The pbm commands could not be started: ", sentence, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', sentence);
    }
}
