using System.Net;
using System.Net.Sockets;
using Cllm.Model;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Cllm.Actors.Inspection;

/// <summary>
/// Answers over HTTP: <c>/metrics</c> for Prometheus, <c>/healthz</c>, <c>/status</c> as JSON, and, for callers on this machine alone, POST <c>/pause</c>,
/// <c>/resume</c>, <c>/checkpoint</c>, <c>/drain?node=N</c>. Kestrel without a host around it: no configuration but this, no logging, nothing to start but a socket.
/// </summary>
public sealed class InspectionServer : IAsyncDisposable
{
    /// <summary>Where a run of several processes is inspected unless it is told otherwise.</summary>
    public const string DefaultAddress = "127.0.0.1:9115";

    private const int ConnectionsMax = 64;
    private static readonly TimeSpan RequestHeadMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan IdleMax = TimeSpan.FromSeconds(30);

    private readonly KestrelServer _server;
    private readonly Pages _pages;

    private InspectionServer(KestrelServer server, Pages pages) => (_server, _pages) = (server, pages);

    /// <summary>Where it listens, with the port that a 0 became.</summary>
    public string Address => new Uri(_server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First()).Authority;

    /// <summary>Begins to answer.</summary>
    /// <param name="listen">Address and port; port 0 takes any.</param>
    /// <param name="control">The run.</param>
    /// <exception cref="InputException">The address is taken or is not this machine's.</exception>
    public static async Task<InspectionServer> StartAsync(IPEndPoint listen, RunControl control)
    {
        var options = new KestrelServerOptions { AddServerHeader = false };
        options.Limits.MaxConcurrentConnections = ConnectionsMax;
        options.Limits.RequestHeadersTimeout = RequestHeadMax;
        options.Limits.KeepAliveTimeout = IdleMax;
        options.Limits.MaxRequestBodySize = 0;
        options.Listen(listen);
        var logs = NullLoggerFactory.Instance;
        var server = new KestrelServer(Options.Create(options), new SocketTransportFactory(Options.Create(new SocketTransportOptions()), logs), logs);
        var pages = new Pages(control);
        try
        {
            await server.StartAsync(pages, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            pages.Dispose();
            server.Dispose();
            var why = failure.InnerException is AddressInUseException ? "another program listens there" : "it is no address of this machine, or the port is reserved";
            throw new InputException($"Metrics and status cannot be served at {listen}: {why}; choose another address with --metrics-listen.", failure);
        }

        return new(server, pages);
    }

    /// <summary>The address that a text names: <c>HOST:PORT</c>, where the host is an IP address or <c>localhost</c>.</summary>
    /// <exception cref="InputException">It names none.</exception>
    public static IPEndPoint Parse(string text)
    {
        const string Local = "localhost:";
        var plain = text.StartsWith(Local, StringComparison.OrdinalIgnoreCase) ? $"{IPAddress.Loopback}:{text[Local.Length..]}" : text;
        var hasPort = plain.LastIndexOf(':') is var colon and > 0 && colon > plain.LastIndexOf(']') && (plain[0] == '[' || plain.IndexOf(':') == colon);
        return hasPort && IPEndPoint.TryParse(plain, out var endpoint) ? endpoint : throw new InputException(
            $"'{text}' is no address to listen at; give an IP address and a port, as in {DefaultAddress}.");
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // A caller that keeps its connection open does not keep the run.
        using var now = new CancellationTokenSource();
        await now.CancelAsync().ConfigureAwait(false);
        await _server.StopAsync(now.Token).ConfigureAwait(false);
        _server.Dispose();
        _pages.Dispose();
    }

    /// <summary>What is answered.</summary>
    private sealed class Pages(RunControl control) : IHttpApplication<HttpContext>, IDisposable
    {
        private readonly MeterTotals _totals = new();
        private readonly OperatorCommands _commands = new(control);

        public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

        public void DisposeContext(HttpContext context, Exception? exception)
        {
        }

        public void Dispose() => _totals.Dispose();

        public Task ProcessRequestAsync(HttpContext context)
        {
            var path = context.Request.Path.Value ?? "";
            var isPage = path is "/metrics" or "/healthz" or "/status";
            if (!isPage && OperatorCommands.ActionOf(path.TrimStart('/')) is null)
            {
                return AnswerAsync(context, StatusCodes.Status404NotFound, "There are /metrics, /healthz, /status and, by POST, /pause, /resume, /checkpoint, /drain?node=N.");
            }

            if (context.Request.Method != (isPage ? HttpMethods.Get : HttpMethods.Post))
            {
                context.Response.Headers.Allow = isPage ? HttpMethods.Get : HttpMethods.Post;
                return AnswerAsync(context, StatusCodes.Status405MethodNotAllowed, $"{path} is asked for by {context.Response.Headers.Allow}.");
            }

            return path switch
            {
                "/metrics" => MetricsAsync(context),
                "/healthz" => HealthAsync(context),
                "/status" => StatusAsync(context),
                _ => OrderAsync(context, path.TrimStart('/')),
            };
        }

        private static Task AnswerAsync(HttpContext context, int code, string text, string contentType = "text/plain; charset=utf-8")
        {
            context.Response.StatusCode = code;
            context.Response.ContentType = contentType;
            context.Response.Headers.CacheControl = "no-store";
            return context.Response.WriteAsync(text.EndsWith('\n') ? text : text + "\n");
        }

        private async Task MetricsAsync(HttpContext context)
        {
            var text = new PrometheusText();
            if (await control.ViewAsync().ConfigureAwait(false) is { } run)
            {
                text.Gauges(run);
            }

            _totals.Write(text);
            await AnswerAsync(context, StatusCodes.Status200OK, text.ToString(), PrometheusText.ContentType).ConfigureAwait(false);
        }

        private async Task HealthAsync(HttpContext context)
        {
            var run = await control.ViewAsync().ConfigureAwait(false);
            await AnswerAsync(
                context,
                run is null ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK,
                run is null ? "the coordinator does not answer" : $"ok: {run.Phase}, {run.CommittedSteps} of {run.Steps} steps done").ConfigureAwait(false);
        }

        private async Task StatusAsync(HttpContext context)
        {
            var run = await control.ViewAsync().ConfigureAwait(false);
            await (run is null
                ? AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, "The run's coordinator does not answer.")
                : AnswerAsync(context, StatusCodes.Status200OK, RunViewJson.Write(run), "application/json")).ConfigureAwait(false);
        }

        /// <summary>A page in a browser on this machine can send such a request as well, but not without saying where it comes from.</summary>
        private async Task OrderAsync(HttpContext context, string name)
        {
            var caller = context.Connection.RemoteIpAddress;
            if (caller is null || !IPAddress.IsLoopback(caller) || context.Request.Headers.ContainsKey("Origin") || context.Request.Headers.ContainsKey("Sec-Fetch-Site"))
            {
                await AnswerAsync(context, StatusCodes.Status403Forbidden, "A run takes orders from its own machine alone.").ConfigureAwait(false);
                return;
            }

            var text = context.Request.Query["node"].ToString();
            int? node = int.TryParse(text, out var number) ? number : null;
            if (text.Length > 0 && node is null)
            {
                await AnswerAsync(context, StatusCodes.Status400BadRequest, "node is no number.").ConfigureAwait(false);
                return;
            }

            var (isDone, lines) = await _commands.RunAsync(name, node).ConfigureAwait(false);
            await AnswerAsync(context, isDone ? StatusCodes.Status200OK : StatusCodes.Status409Conflict, string.Join('\n', lines)).ConfigureAwait(false);
        }
    }
}
