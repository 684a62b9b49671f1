using System.Net;
using System.Net.Sockets;
using Cllm.Actors.Inspection;
using Cllm.Model;

namespace Cllm.Cli.Inspect;

/// <summary>Asks a run that serves its status how it stands.</summary>
/// <param name="at">HOST:PORT.</param>
public sealed class RunAddress(string at) : IDisposable
{
    private const int AnswerBytesMax = 16 << 20;

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(3) })
    {
        BaseAddress = Parse(at),
        Timeout = TimeSpan.FromSeconds(10),
        MaxResponseContentBufferSize = AnswerBytesMax,
    };

    /// <summary>Asks once.</summary>
    public RunLook Ask(CancellationToken stop)
    {
        string json;
        try
        {
            using HttpResponseMessage response = _client.GetAsync("/status", stop).GetAwaiter().GetResult();
            json = response.Content.ReadAsStringAsync(stop).GetAwaiter().GetResult();
            if (response.StatusCode == HttpStatusCode.ServiceUnavailable)
            {
                return new(null, "", $"The process at {at} is there, but its run's coordinator does not answer; it may be starting or restoring. Try again in a moment.")
                {
                    IsProcessThere = true,
                };
            }
        }
        catch (Exception failure) when (failure is HttpRequestException or TaskCanceledException && !stop.IsCancellationRequested)
        {
            bool isSilent = failure is TaskCanceledException;
            bool isUnknown = failure.InnerException is SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain };
            string what = isUnknown ? $"There is no host of that name: {at}" : isSilent ? $"{at} does not answer" : $"Nobody answers at {at}";
            return new(null, "", $"{what}; start the run with --metrics-listen {at}, or say with --at HOST:PORT where it is.");
        }

        return RunViewJson.Read(json) is { } view ? new(view, json, "") : new(null, "", $"What answers at {at} is no run of this program; say with --at HOST:PORT where it is.");
    }

    /// <summary>HOST:PORT.</summary>
    public override string ToString() => at;

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private static Uri Parse(string at)
    {
        if (!Uri.TryCreate($"http://{at}/", UriKind.Absolute, out Uri? uri) || uri.Authority != at || !at.Contains(':'))
        {
            throw new InputException($"--at is '{at}' and must be a host and a port, as in {InspectionServer.DefaultAddress}.");
        }

        if (uri.Port == 0)
        {
            throw new InputException($"--at is '{at}', and nobody can be called at port 0; give the port that is listened at there.");
        }

        return uri;
    }
}
