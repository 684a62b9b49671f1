using System.Net;
using Cllm.Actors.Inspection;
using Cllm.Actors.Local;
using Cllm.Tests.Actors;

namespace Cllm.Tests.Inspection;

/// <summary>A run of one process that stands in the middle of its fourth step until it is let go, with the server that shows it.</summary>
internal sealed class LiveRun : IAsyncDisposable
{
    private const int Leaves = 6;
    private const int StoppedStep = 3;

    private readonly ManualResetEventSlim _go = new();
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task<TrainingEnd> _run;

    private LiveRun(InspectionServer server, RunControl control)
    {
        (Server, Control) = (server, control);
        var host = new FakeHost(Leaves)
        {
            BeforeCompute = (_, step) =>
            {
                if (step == StoppedStep)
                {
                    _reached.TrySetResult();
                    _go.Wait();
                }
            },
        };
        var settings = new LocalTrainingSettings
        {
            Leaves = Leaves, Steps = 8, Workers = 2, Shards = 2, Name = "runs/live", StepTokens = 600, Control = control,
        };
        _run = LocalTraining.RunAsync(settings, host, Observer, _stop.Token);
    }

    public RecordingObserver Observer { get; } = new();

    public InspectionServer Server { get; }

    public RunControl Control { get; }

    public HttpClient Client { get; private init; } = new();

    public static async Task<LiveRun> StartAsync()
    {
        var control = new RunControl();
        var server = await InspectionServer.StartAsync(new IPEndPoint(IPAddress.Loopback, 0), control);
        var run = new LiveRun(server, control) { Client = new() { BaseAddress = new($"http://{server.Address}") } };
        await run._reached.Task.WaitAsync(TimeSpan.FromSeconds(60));
        return run;
    }

    /// <summary>Lets the step go on.</summary>
    public void Go() => _go.Set();

    public async Task<TrainingEnd> EndAsync()
    {
        Go();
        return await _run.WaitAsync(TimeSpan.FromSeconds(60));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await EndAsync();
        Client.Dispose();
        await Server.DisposeAsync();
        _stop.Dispose();
        _go.Dispose();
    }
}
