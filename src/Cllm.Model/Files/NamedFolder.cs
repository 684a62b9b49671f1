namespace Cllm.Model.Files;

/// <summary>A folder whose path a user gave, and which is made when it is not there.</summary>
public static class NamedFolder
{
    /// <summary>Makes it, and the folders above it, where they are not there.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="option">The option that named it.</param>
    /// <exception cref="InputException">It is a file, lies below one, or cannot be made.</exception>
    public static void Make(string path, string option)
    {
        RequireNoFile(path, option);
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new InputException($"The folder {path} cannot be made ({failure.Message.TrimEnd('.')}); choose another {option}.", failure);
        }
    }

    /// <summary>Refuses a path at which there can be no folder, because it or what it lies in is a file.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="option">The option that named it.</param>
    /// <exception cref="InputException">It is a file, or lies below one.</exception>
    public static void RequireNoFile(string path, string option)
    {
        string full = Path.GetFullPath(path);
        for (string? at = full; at is not null; at = Path.GetDirectoryName(at))
        {
            if (File.Exists(at))
            {
                throw new InputException(at == full
                    ? $"{path} is a file and no folder; choose another {option}."
                    : $"There can be no folder {path}, for {at} is a file; choose another {option}.");
            }
        }
    }
}
