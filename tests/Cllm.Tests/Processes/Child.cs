using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Cllm.Tests.Processes;

/// <summary>A cllm process. Everything that waits for it is ended by its end, and it ends after five minutes at the latest.</summary>
internal sealed partial class Child : IDisposable
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;

    private const nint DefaultHandler = 0;
    private const int ProcessId = 1;
    private const int Stopped = 2;
    private const int ResultBytes = 128;

    private static readonly TimeSpan LifeMax = TimeSpan.FromMinutes(5);

    private readonly Process _process;
    private readonly CancellationTokenSource _life = new(LifeMax);
    private readonly StringBuilder _output = new();
    private readonly Task<string> _error;

    static Child()
    {
        // A shell script starts its background jobs with Ctrl-C ignored, tests among them, and processes inherit that.
        const string Ignored = "SigIgn:";
        string? mask = OperatingSystem.IsLinux()
            ? File.ReadLines("/proc/self/status").FirstOrDefault(line => line.StartsWith(Ignored, StringComparison.Ordinal))
            : null;
        if (mask is not null
            && (Convert.ToUInt64(mask[Ignored.Length..].Trim(), 16) & (1 << (Interrupt - 1))) != 0)
        {
            SetHandler(Interrupt, DefaultHandler);
        }
    }

    private Child(Process process)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
        _life.Token.Register(() => process.Kill());
    }

    /// <summary>The program beside the tests.</summary>
    public static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "cllm.dll");

    /// <summary>The stop signal of job control, which no process can catch.</summary>
    public static int Stop { get; } = OperatingSystem.IsMacOS() ? 17 : 19;

    /// <summary>The signal that ends a stop.</summary>
    public static int Continue { get; } = OperatingSystem.IsMacOS() ? 19 : 18;

    /// <summary>An address of this machine at which nobody listened a moment ago.</summary>
    public static string FreeAddress()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener.LocalEndpoint.ToString()!;
    }

    /// <summary>Starts cllm.</summary>
    public static Child Start(params string[] args) => Start([], args);

    /// <summary>Starts cllm with more environment variables.</summary>
    public static Child Start((string Name, string Value)[] environment, params string[] args) =>
        Launch("dotnet", environment, [Program, .. args]);

    /// <summary>Starts a shell script whose positional parameters are the given ones.</summary>
    public static Child Shell(string script, params string[] args) => Launch("sh", [], ["-c", script, "sh", .. args]);

    /// <summary>Runs cllm to its end.</summary>
    public static Ended Run(params string[] args)
    {
        using var child = Start(args);
        return child.Wait();
    }

    /// <summary>The next line of output; null when there is none any more.</summary>
    public string? ReadLine()
    {
        string? line = _process.StandardOutput.ReadLine();
        if (line is not null)
        {
            _output.AppendLine(line);
        }

        return line;
    }

    /// <summary>Waits for a line of output that begins so.</summary>
    public void WaitFor(string beginning)
    {
        for (string? line = ReadLine(); line?.StartsWith(beginning, StringComparison.Ordinal) != true; line = ReadLine())
        {
            if (line is null)
            {
                Assert.Fail($"The process ended before it said \"{beginning}\": {_output}{_error.Result}");
            }
        }
    }

    /// <summary>Sends a signal; a process that has ended gets none.</summary>
    public void Send(int signal)
    {
        if (!_process.HasExited)
        {
            Assert.Equal(0, SendSignal(_process.Id, signal));
        }
    }

    /// <summary>Stops the process, and returns when all of it stands still.</summary>
    public void Freeze()
    {
        Send(Stop);
        Span<byte> result = stackalloc byte[ResultBytes];
        Assert.Equal(0, WaitForState(ProcessId, _process.Id, result, Stopped));
    }

    /// <summary>Waits for the end.</summary>
    public Ended Wait()
    {
        while (ReadLine() is not null)
        {
        }

        _process.WaitForExit();
        Assert.False(_life.IsCancellationRequested, $"The process was killed after {LifeMax}: {_output}{_error.Result}");
        return new Ended(_process.ExitCode, _output.ToString(), _error.Result);
    }

    public void Dispose()
    {
        _life.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private static Child Launch(string program, (string Name, string Value)[] environment, string[] args)
    {
        var start = new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new Child(Process.Start(start)!);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "waitid")]
    private static partial int WaitForState(int kind, int process, Span<byte> result, int options);
}

/// <summary>How a process ended, and all it said.</summary>
internal sealed record Ended(int Code, string Output, string Error)
{
    /// <summary>Asserts success without a word on the error stream.</summary>
    public Ended Well()
    {
        Assert.Equal((0, ""), (Code, Error));
        return this;
    }

    /// <summary>Asserts that the error stream holds one sentence.</summary>
    public string Sentence()
    {
        Assert.StartsWith("cllm: ", Error);
        string sentence = Error["cllm: ".Length..].TrimEnd('\n');
        Assert.DoesNotContain('\n', sentence);
        Assert.EndsWith(".", sentence);
        return sentence;
    }
}
