using System.Buffers;
using System.IO.Enumeration;
using System.Text;

namespace Cllm.Model.Feed;

/// <summary>Text from disk: one file, or all .txt files of a folder.</summary>
public static class TextSource
{
    /// <summary>What stands between two files of a folder.</summary>
    public const string Separator = "\n\n";

    // A .NET string ends at 2^30 characters.
    private const long BytesMax = 1L << 30;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>Reads UTF-8 text; a byte order mark at a file's beginning is no part of it.</summary>
    /// <param name="path">
    /// A file; or a folder, whose .txt files at any depth are read in ordinal order of their paths (links to folders are not followed)
    /// with <see cref="Separator"/> in between, empty ones left out.
    /// </param>
    /// <exception cref="InputException">
    /// The path is missing, empty, too large or unreadable, has no .txt file, or a file is not UTF-8.
    /// </exception>
    public static string Read(string path)
    {
        if (File.Exists(path))
        {
            string text = ReadFile(path);
            return text.Length > 0 ? text : throw new InputException($"{path} is empty; give --data a file with text.");
        }

        if (!Directory.Exists(path))
        {
            throw new InputException($"There is no file or folder {path}; check --data.");
        }

        string[] files = FilesBelow(path);
        if (files.Length == 0)
        {
            throw new InputException($"The folder {path} has no .txt file; give --data a folder with .txt files, or one file.");
        }

        RefuseTooLarge(path, files.Sum(file => new FileInfo(file).Length));
        string[] texts = [.. files.Select(ReadFile).Where(text => text.Length > 0)];
        return texts.Length > 0
            ? string.Join(Separator, texts)
            : throw new InputException($"All {files.Length} .txt files in {path} are empty; give --data a folder with text.");
    }

    private static string[] FilesBelow(string folder)
    {
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            IgnoreInaccessible = false,
            AttributesToSkip = FileAttributes.None,
        };
        var found = new FileSystemEnumerable<string>(folder, (ref entry) => entry.ToFullPath(), options)
        {
            ShouldIncludePredicate = (ref entry) =>
                !entry.IsDirectory && Path.GetExtension(entry.FileName).Equals(".txt", StringComparison.OrdinalIgnoreCase),

            // A link may lead back to a folder above it.
            ShouldRecursePredicate = (ref entry) => !entry.Attributes.HasFlag(FileAttributes.ReparsePoint),
        };
        try
        {
            // One order on every system: '\' and '/' sort differently.
            return [.. found.OrderBy(file => Path.GetRelativePath(folder, file).Replace('\\', '/'), StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(folder, e);
        }
    }

    private static string ReadFile(string path)
    {
        byte[] bytes;
        try
        {
            RefuseTooLarge(path, new FileInfo(path).Length);
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, e);
        }

        ReadOnlySpan<byte> text = bytes.AsSpan().StartsWith(ByteOrderMark) ? bytes.AsSpan(ByteOrderMark.Length) : bytes;
        RefuseUndecodable(path, bytes);
        return Encoding.UTF8.GetString(text);
    }

    private static void RefuseUndecodable(string path, ReadOnlySpan<byte> bytes)
    {
        if (System.Text.Unicode.Utf8.IsValid(bytes))
        {
            return;
        }

        if (bytes is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..])
        {
            throw new InputException($"{path} is UTF-16 (it begins with that byte order mark); convert it to UTF-8.");
        }

        int at = 0;
        while (Rune.DecodeFromUtf8(bytes[at..], out _, out int length) == OperationStatus.Done)
        {
            at += length;
        }

        throw new InputException(
            $"{path} is not UTF-8: the byte 0x{bytes[at]:X2} at offset {at} cannot be decoded;"
            + " convert the file to UTF-8, or give token ids in a .bin file.");
    }

    private static void RefuseTooLarge(string path, long bytes)
    {
        if (bytes > BytesMax)
        {
            throw new InputException(
                $"{path} has {bytes / 1e9:F1} GB of text and 1 GiB is the most that is read at once;"
                + " give a part of it, or token ids in a .bin file.");
        }
    }

    private static InputException Unreadable(string path, Exception e) =>
        new($"{path} cannot be read ({e.Message.TrimEnd('.')}); check its permissions.", e);
}
