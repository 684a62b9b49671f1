using System.Runtime.InteropServices;
using Cllm.Cli;

namespace Cllm.Tests.Cli;

public class StopSignalsTests
{
    [Fact]
    public void The_first_signal_asks_and_the_second_has_its_usual_effect()
    {
        using var signals = new StopSignals(listen: false, CancellationToken.None);
        var (first, second) = (new PosixSignalContext(PosixSignal.SIGINT), new PosixSignalContext(PosixSignal.SIGTERM));
        signals.Receive(first);
        Assert.True(signals.Token.IsCancellationRequested);
        signals.Receive(second);
        Assert.Equal((true, false), (first.Cancel, second.Cancel));
    }

    [Fact]
    public void A_signal_that_was_on_its_way_when_the_command_ended_does_no_harm()
    {
        var signals = new StopSignals(listen: false, CancellationToken.None);
        signals.Dispose();
        Assert.Null(Record.Exception(() => signals.Receive(new PosixSignalContext(PosixSignal.SIGINT))));
    }

    [Fact]
    public void Who_starts_a_command_can_ask_as_well()
    {
        using var outside = new CancellationTokenSource();
        using var signals = new StopSignals(listen: false, outside.Token);
        outside.Cancel();
        Assert.True(signals.Token.IsCancellationRequested);
    }
}
