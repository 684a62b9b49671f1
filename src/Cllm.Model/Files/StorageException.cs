namespace Cllm.Model.Files;

/// <summary>
/// Something could not be written. The message is one sentence: what, where, how much space is left, what to do; the command line
/// prints it as it stands and exits with code 1. Nothing half-written is left.
/// </summary>
public sealed class StorageException : Exception
{
    private const int NoSpaceOnUnix = 28;
    private const int QuotaOnLinux = 122;
    private const int DiskFullOnWindows = unchecked((int)0x80070070);

    /// <summary>Creates the error with its sentence.</summary>
    public StorageException(string sentence) : base(sentence) { }

    /// <summary>Creates the error with its sentence and the failure behind it.</summary>
    public StorageException(string sentence, Exception inner) : base(sentence, inner) { }

    /// <summary>The error for a failure of the operating system while writing at <paramref name="path"/>.</summary>
    public static StorageException While(string path, Exception failure)
    {
        if (failure.HResult is NoSpaceOnUnix or QuotaOnLinux or DiskFullOnWindows)
        {
            return new StorageException(
                $"{path} could not be written because the disk is full ({FreeSpace(path)} free); " +
                "delete something there, then try again, with --resume where a run has begun.",
                failure);
        }

        return new StorageException(
            $"{path} could not be written ({failure.Message.TrimEnd('.')}); " +
            "check the folder's permissions and the disk, then try again, with --resume where a run has begun.",
            failure);
    }

    private static string FreeSpace(string path)
    {
        try
        {
            string full = Path.GetFullPath(path);
            string drive = (OperatingSystem.IsWindows() ? null : Path.GetDirectoryName(full)) ?? Path.GetPathRoot(full)!;
            return $"{new DriveInfo(drive).AvailableFreeSpace / 1e6:F1} MB";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return "an unknown amount is";
        }
    }
}
