using System.Runtime.InteropServices;

namespace Cllm.Numerics.Memory;

/// <summary>
/// Asks Linux to back large buffers with pages of 2 MiB, so that streams over hundreds of megabytes wait less for address translation.
/// A wish: where the system has no such pages, or the user has forbidden them, everything is as before.
/// </summary>
internal static unsafe partial class HugePages
{
    /// <summary>Bytes of such a page, and its alignment.</summary>
    public const int Bytes = 2 * 1024 * 1024;

    /// <summary>MADV_HUGEPAGE of Linux, the same on all its architectures.</summary>
    private const int AdviseHugePages = 14;

    /// <summary>Advises the whole pages within memory that has not been touched yet.</summary>
    /// <param name="start">Aligned to <see cref="Bytes"/>.</param>
    /// <param name="length">Its length in bytes.</param>
    public static void Advise(void* start, nuint length)
    {
        if (OperatingSystem.IsLinux())
        {
            // The answer does not matter: a refusal leaves pages of the usual size.
            _ = MemoryAdvise(start, length / Bytes * Bytes, AdviseHugePages);
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int MemoryAdvise(void* start, nuint length, int advice);
}
