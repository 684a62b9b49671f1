using System.Diagnostics;
using System.Net;

namespace Cllm.PoorNetwork;

/// <summary>
/// Where one machine is plugged in. What it sends goes over a poor link to the switch, which gives it at once to the port that has the packet's destination. A thread
/// takes what comes from the machine, another one hands over what is due; that is as exact as the system's timer, about a millisecond.
/// </summary>
internal sealed class Port(string device, IPAddress address, LinkQuality quality, int seed)
{
    private const int DestinationOffset = 16;
    private const int HeaderBytes = 20;

    private readonly TunDevice _device = new(device);
    private readonly Link _link = new(quality, seed);
    private readonly byte[] _address = address.GetAddressBytes();
    private volatile bool _isCut;

    public string Device => device;

    /// <summary>Whether nothing gets from here to the machine or back.</summary>
    public bool IsCut
    {
        get => _isCut;
        set => _isCut = value;
    }

    public void Start(IReadOnlyList<Port> ports)
    {
        new Thread(Take) { IsBackground = true }.Start();
        new Thread(() => HandOver(ports)) { IsBackground = true }.Start();
    }

    /// <summary>What the link has done so far, in a sentence.</summary>
    public override string ToString()
    {
        lock (_link)
        {
            return FormattableString.Invariant(
                $"{device}: {_link.Entered} packets sent, {_link.Lost} lost, {_link.Dropped} without room, {_link.Mean.TotalMilliseconds:F1} ms under way on average");
        }
    }

    private void Take()
    {
        var packet = new byte[TunDevice.PacketBytesMax];
        while (true)
        {
            var bytes = _device.Read(packet);
            // Only IPv4 has a way here: a kernel asks for routers over IPv6 at every new device.
            if (IsCut || bytes < HeaderBytes || packet[0] >> 4 != 4)
            {
                continue;
            }

            lock (_link)
            {
                _link.Enter(packet[..bytes], Now);
                Monitor.Pulse(_link);
            }
        }
    }

    private void HandOver(IReadOnlyList<Port> ports)
    {
        while (true)
        {
            var packet = NextDue();
            foreach (var port in ports)
            {
                if (!port.IsCut && packet.AsSpan(DestinationOffset, port._address.Length).SequenceEqual(port._address))
                {
                    port._device.Write(packet);
                }
            }
        }
    }

    private byte[] NextDue()
    {
        lock (_link)
        {
            while (true)
            {
                var now = Now;
                if (_link.TryLeave(now, out var packet))
                {
                    return packet;
                }

                // Rounded up, for 0 ms would be no wait at all and -1 has none to end it.
                Monitor.Wait(_link, _link.Due is { } due ? (int)Math.Ceiling((due - now).TotalMilliseconds) : Timeout.Infinite);
            }
        }
    }

    private static TimeSpan Now => Stopwatch.GetElapsedTime(0);
}
