namespace Cllm.Protocol.Identity;

/// <summary>What two processes must agree on to compute the same bits. The protocol compares the strings and never reads them.</summary>
/// <param name="Configuration">Digest of the run's configuration.</param>
/// <param name="Tokenizer">Digest of the tokenizer.</param>
/// <param name="Protocol">Version of the messages.</param>
public sealed record RunIdentity(string Configuration, string Tokenizer, int Protocol)
{
    /// <summary>Version of the messages in this assembly: one more whenever one changes its meaning.</summary>
    public const int ProtocolVersion = 1;

    /// <summary>The first difference to another identity as a sentence; none when they agree.</summary>
    internal string? DifferenceTo(RunIdentity other) => this switch
    {
        _ when Protocol != other.Protocol =>
            $"it speaks protocol version {other.Protocol} and this run {Protocol}; install the same version of the program on both",
        _ when Configuration != other.Configuration =>
            $"its configuration has digest {other.Configuration} and this run's {Configuration}; start it with the configuration of this run",
        _ when Tokenizer != other.Tokenizer =>
            $"its tokenizer has digest {other.Tokenizer} and this run's {Tokenizer}; give it the tokenizer of this run",
        _ => null,
    };

    /// <summary>As in <c>c0ffee/t0ken/1</c>.</summary>
    public override string ToString() => $"{Configuration}/{Tokenizer}/{Protocol}";
}
