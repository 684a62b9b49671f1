namespace Cllm.Cli.Display;

/// <summary>Shows a run under way: as a picture that is redrawn, or as lines.</summary>
public interface IProgressDisplay : IDisposable
{
    /// <summary>Shows one finished step; returns at once.</summary>
    void Step(long done, double loss, double tokensPerSecond, double milliseconds, double learningRate);

    /// <summary>Shows an evaluation on held-out text.</summary>
    void Validation(long done, double loss);

    /// <summary>Shows what is going on besides steps.</summary>
    void Note(string text);
}
