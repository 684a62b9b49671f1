using System.Globalization;
using System.Net;
using Cllm.PoorNetwork;

const string Usage = """
    Usage: Cllm.PoorNetwork [--delay MS] [--jitter MS] [--loss PERCENT] [--rate MBIT] [--seed S] DEVICE=ADDRESS …
    A switch whose links are poor, for kernels without netem: makes the TUN devices in its own network namespace, says "ready", and carries IPv4 packets
    between them. Each is a machine's only way and may be moved to the namespace in which that address is. Delay, jitter, loss and rate (10, 3, 1 and 1000)
    are those of what a machine sends, so there and back takes two delays.
    Lines of the input: "cut DEVICE" and "mend DEVICE". At its end the program says what its links have done.
    """;

double delay = 10, jitter = 3, loss = 1, rate = 1000, seed = 1;
List<(string Device, IPAddress Address)> machines = [];
for (var i = 0; i < args.Length; i++)
{
    if (args[i].Split('=') is [var device, var text] && IPAddress.TryParse(text, out var address))
    {
        machines.Add((device, address));
        continue;
    }

    if (i + 1 == args.Length || !double.TryParse(args[i + 1], CultureInfo.InvariantCulture, out var number) || number < 0)
    {
        return Refuse(Usage);
    }

    switch (args[i++])
    {
        case "--delay": delay = number; break;
        case "--jitter": jitter = number; break;
        case "--loss": loss = number; break;
        case "--rate": rate = number; break;
        case "--seed": seed = number; break;
        default: return Refuse(Usage);
    }
}

if (machines.Count < 2 || jitter > delay || loss > 100 || rate == 0)
{
    return Refuse(Usage);
}

Port[] ports = [];
try
{
    var quality = new LinkQuality(TimeSpan.FromMilliseconds(delay), TimeSpan.FromMilliseconds(jitter), loss / 100, rate * 1e6);
    ports = [.. machines.Select((machine, index) => new Port(machine.Device, machine.Address, quality, (int)seed + index))];
}
catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
{
    return Refuse(exception.Message);
}

foreach (var port in ports)
{
    port.Start(ports);
}

Console.WriteLine("ready");
while (Console.ReadLine() is { } line)
{
    if (line.Split(' ') is [("cut" or "mend") and var order, var device] && ports.FirstOrDefault(port => port.Device == device) is { } chosen)
    {
        chosen.IsCut = order == "cut";
    }
    else
    {
        Console.Error.WriteLine($"Neither \"cut DEVICE\" nor \"mend DEVICE\": {line}");
    }
}

Console.WriteLine(string.Join<Port>(Environment.NewLine, ports));
return 0;

static int Refuse(string reason)
{
    Console.Error.WriteLine(reason);
    return 2;
}
