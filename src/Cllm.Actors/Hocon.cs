using Akka.Configuration;
using Cllm.Model;

namespace Cllm.Actors;

/// <summary>The configuration of the actor system: akka.hocon beside the program, with another file laid over it.</summary>
public static class Hocon
{
    /// <summary>Name of the file beside the program.</summary>
    public const string FileName = "akka.hocon";

    /// <summary>Reads the configuration.</summary>
    /// <param name="overPath">File whose keys win; none for the program's own alone.</param>
    /// <exception cref="InputException">A file is missing or is not HOCON.</exception>
    public static Config Load(string? overPath = null)
    {
        var own = Read(Path.Combine(AppContext.BaseDirectory, FileName));
        return overPath is null ? own : Read(overPath).WithFallback(own);
    }

    /// <summary>How long orders go without an answer before they are sent again, in units of 100 nanoseconds.</summary>
    /// <exception cref="InputException">The value is not a positive duration.</exception>
    internal static long PatienceTicks(Config hocon)
    {
        var ticks = Value("cllm.patience", key => hocon.GetTimeSpan(key).Ticks);
        return ticks > 0 ? ticks : throw new InputException(
            "cllm.patience in the actor configuration is not above zero; give a duration such as 60s.");
    }

    /// <summary>How often one worker or shard may fail before the run's next new step.</summary>
    /// <exception cref="InputException">The value is not a number from 0 on.</exception>
    internal static int FailuresMax(Config hocon)
    {
        var failures = Value("cllm.failures-max", key => hocon.GetInt(key));
        return failures >= 0 ? failures : throw new InputException(
            "cllm.failures-max in the actor configuration is below zero; give a number from 0 on.");
    }

    private static T Value<T>(string key, Func<string, T> read)
    {
        try
        {
            return read(key);
        }
        catch (Exception failure) when (failure is FormatException or OverflowException or ConfigurationException)
        {
            throw new InputException($"{key} in the actor configuration cannot be read: {OneLine(failure)}", failure);
        }
    }

    /// <summary>The parser's messages quote the text they stopped at, line breaks included.</summary>
    private static string OneLine(Exception failure)
    {
        string[] words = failure.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return string.Join(' ', words).TrimEnd('.') + ".";
    }

    private static Config Read(string path)
    {
        try
        {
            return ConfigurationFactory.ParseString(File.ReadAllText(path));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new InputException(
                $"The actor configuration {path} cannot be read ({failure.Message}); give a file that exists and is readable.", failure);
        }
        catch (Exception failure) when (failure is FormatException or ConfigurationException)
        {
            throw new InputException($"The actor configuration {path} is not valid HOCON: {OneLine(failure)}", failure);
        }
    }
}
