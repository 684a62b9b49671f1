using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Cllm.PoorNetwork;

/// <summary>
/// A network device whose other end is this process: what the kernel sends there is read here, what is written here the kernel receives. It is made in the process's
/// network namespace, may be moved to another one, and is gone with the process. Linux: Documentation/networking/tuntap.
/// </summary>
internal sealed partial class TunDevice
{
    /// <summary>Bytes of the largest packet, with the usual maximum of an Ethernet.</summary>
    public const int PacketBytesMax = 1500;

    private const int NameBytesMax = 15;
    private const int RequestBytes = 40;
    private const nuint SetInterface = 0x400454CA;
    private const short TunWithoutHeader = 0x0001 | 0x1000;

    private readonly SafeFileHandle _file;

    public TunDevice(string name)
    {
        if (name.Length is 0 or > NameBytesMax)
        {
            throw new ArgumentException($"'{name}' cannot be a device: its name has 1 to {NameBytesMax} characters.");
        }

        // struct ifreq: the name in 16 bytes, then the flags.
        Span<byte> request = stackalloc byte[RequestBytes];
        request.Clear();
        Encoding.ASCII.GetBytes(name, request);
        MemoryMarshal.Write(request[(NameBytesMax + 1)..], TunWithoutHeader);
        _file = File.OpenHandle("/dev/net/tun", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        if (Ioctl(_file, SetInterface, ref MemoryMarshal.GetReference(request)) < 0)
        {
            throw new IOException($"The device {name} cannot be made: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    /// <summary>Waits for a packet and returns its bytes.</summary>
    public int Read(Span<byte> packet)
    {
        var bytes = Read(_file, ref MemoryMarshal.GetReference(packet), packet.Length);
        return bytes >= 0 ? (int)bytes : throw new IOException($"A device cannot be read: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    /// <summary>Hands the kernel a packet, which is lost where the device is down, as at any machine that is off.</summary>
    public void Write(ReadOnlySpan<byte> packet) => _ = Write(_file, ref MemoryMarshal.GetReference(packet), packet.Length);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeFileHandle file, ref byte packet, nint bytes);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(SafeFileHandle file, ref byte packet, nint bytes);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Ioctl(SafeFileHandle file, nuint request, ref byte argument);
}
