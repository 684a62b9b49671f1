using System.Net;
using Cllm.Actors.Inspection;
using Cllm.Model;

namespace Cllm.Cli.Inspect;

/// <summary>The endpoint of a run in this process, where one is wanted, and the way from it to the run.</summary>
public sealed class RunInspection : IDisposable
{
    private readonly InspectionServer? _server;

    private RunInspection(InspectionServer? server, RunControl? control) => (_server, Control) = (server, control);

    /// <summary>To be attached to the run; null when nobody inspects it.</summary>
    public RunControl? Control { get; }

    /// <summary>Where it is served; null when it is not.</summary>
    public string? Address => _server?.Address;

    /// <summary>Begins to serve, before there is a run: until then it says that nobody answers.</summary>
    /// <param name="listen">HOST:PORT; null serves nothing.</param>
    /// <exception cref="InputException">It is no address, or cannot be listened at.</exception>
    public static RunInspection Start(string? listen)
    {
        if (listen is null)
        {
            return new(null, null);
        }

        IPEndPoint endpoint = InspectionServer.Parse(listen);
        var control = new RunControl();
        return new(InspectionServer.StartAsync(endpoint, control).GetAwaiter().GetResult(), control);
    }

    /// <summary>Begins to serve where a run of several processes is served unless it is told otherwise; where another run is, this one goes without.</summary>
    /// <param name="say">Told when it goes without.</param>
    public static RunInspection StartUsual(Action<string> say)
    {
        try
        {
            return Start(InspectionServer.DefaultAddress);
        }
        catch (InputException taken)
        {
            say(taken.Message);
            return new(null, null);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _server?.DisposeAsync().AsTask().GetAwaiter().GetResult();
}
