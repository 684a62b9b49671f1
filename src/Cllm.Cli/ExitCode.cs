namespace Cllm.Cli;

/// <summary>What the command tells the shell; scripts rely on these.</summary>
public static class ExitCode
{
    /// <summary>The command did what was asked.</summary>
    public const int Success = 0;

    /// <summary>It could not, and the cause lies in the program or the machine.</summary>
    public const int Failure = 1;

    /// <summary>The command line or the input cannot be used.</summary>
    public const int Usage = 2;

    /// <summary>Stopped by Ctrl-C or SIGTERM, after a checkpoint.</summary>
    public const int Interrupted = 130;
}
