using System.Security.Cryptography;
using System.Text.Json;
using Cllm.Model.Files;

namespace Cllm.Model.Text;

/// <summary>A tokenizer on disk: a tokenizer.json in the format of Hugging Face's tokenizers library.</summary>
public static class TokenizerFile
{
    /// <summary>Reads a file that <see cref="Save"/> wrote, or any byte-level BPE of Hugging Face's, such as GPT-2's.</summary>
    /// <exception cref="InputException">The file is missing, unreadable, or describes a tokenizer of another construction.</exception>
    public static ITokenizer Load(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException($"There is no tokenizer file {path}; give the path of a tokenizer.json.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(
                $"The tokenizer file {path} cannot be read ({e.Message.TrimEnd('.')}); check that it is a file, and its permissions.", e);
        }

        try
        {
            using var json = JsonDocument.Parse(bytes);
            return new TokenizerJsonReader(path, json.RootElement).Read();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new InputException($"{path} is not a tokenizer.json ({e.Message.TrimEnd('.')}); use one in Hugging Face's format.", e);
        }
    }

    /// <summary>Writes a tokenizer whole or not at all.</summary>
    /// <exception cref="StorageException">The file cannot be written there.</exception>
    public static void Save(string path, ITokenizer tokenizer) =>
        AtomicFile.Write(DiskFileStore.Instance, path, tokenizer.Serialize());

    /// <summary>SHA-256, hexadecimal and in lower case, of the file that <see cref="Save"/> writes.</summary>
    public static string Digest(ITokenizer tokenizer) => Convert.ToHexStringLower(SHA256.HashData(tokenizer.Serialize()));
}
