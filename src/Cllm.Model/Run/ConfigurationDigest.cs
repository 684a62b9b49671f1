using Cllm.Model.Files;

namespace Cllm.Model.Run;

/// <summary>The identity of a run: equal digests mean equal weights at the end.</summary>
public static class ConfigurationDigest
{
    /// <summary>SHA-256 of the configuration's canonical JSON, lowercase hexadecimal.</summary>
    public static string Of(RunConfiguration configuration) => Digest.Bytes(RunConfigurationJson.ToBytes(configuration));
}
