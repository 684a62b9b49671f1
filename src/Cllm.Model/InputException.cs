namespace Cllm.Model;

/// <summary>
/// What the user gave cannot be used. The message is one sentence that says what is wrong, where, and what to do;
/// the command line prints it as it stands and exits with code 2.
/// </summary>
public sealed class InputException : Exception
{
    /// <summary>Creates the error with its sentence.</summary>
    public InputException(string sentence) : base(sentence) { }

    /// <summary>Creates the error with its sentence and the failure that revealed it.</summary>
    public InputException(string sentence, Exception inner) : base(sentence, inner) { }
}
