using System.Runtime.Serialization;
using Cllm.Actors.Wire;

namespace Cllm.Tests.Wire;

/// <summary>
/// Throws random bytes and mutated valid payloads at the codec. Whatever comes in, it either refuses with its one exception, or gives a listed message that is
/// written as exactly those bytes again, and it allocates no more than a bounded multiple of them.
/// </summary>
public static class WireFuzz
{
    private const int RandomBytesMax = 400;

    /// <summary>A read may allocate this much whatever it reads: the session, the exception and its trace.</summary>
    private const long AllocatedMax = 64 * 1024;

    /// <summary>A message's memory for a byte of it: an empty string of a byte is an object of 24, in an array of references.</summary>
    private const long AllocatedPerByteMax = 64;

    /// <summary>Goes on until it has tried that many bytes.</summary>
    /// <exception cref="Xunit.Sdk.XunitException">The codec broke its word; the sentence has the payload.</exception>
    public static Result Run(long bytes, ulong seed)
    {
        var random = new Random((int)(seed ^ (seed >> 32)));
        var types = WireTypes.OfProgram.Messages;
        var (tried, payloads, accepted) = (0L, 0L, 0L);
        WarmUp();
        while (tried < bytes)
        {
            var payload = random.Next(4) == 0
                ? Random(random)
                : Mutate(WireCodec.OfProgram.Write(Instances.Make(types[random.Next(types.Count)], random)), random);
            tried += payload.Length;
            payloads++;
            accepted += Try(payload) ? 1 : 0;
        }

        return new(tried, payloads, accepted);
    }

    /// <summary>The codec is made, and an exception thrown, for the first time.</summary>
    private static void WarmUp() =>
        Assert.Throws<SerializationException>(() => WireCodec.OfProgram.Read([]));

    private static bool Try(byte[] payload)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        object? message = null;
        try
        {
            message = WireCodec.OfProgram.Read(payload);
        }
        catch (SerializationException)
        {
        }

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(
            allocated <= AllocatedMax + (AllocatedPerByteMax * payload.Length), $"{allocated} bytes for the payload {Convert.ToHexString(payload)}");
        if (message is null)
        {
            return false;
        }

        Assert.True(WireTypes.OfProgram.IsMessage(message.GetType()), $"{message.GetType()} of {Convert.ToHexString(payload)}");
        Assert.Equal(payload, WireCodec.OfProgram.Write(message));
        return true;
    }

    private static byte[] Random(Random random)
    {
        var bytes = new byte[random.Next(RandomBytesMax)];
        random.NextBytes(bytes);
        if (bytes.Length > 3 && random.Next(2) == 0)
        {
            (bytes[0], bytes[1], bytes[2]) = (254, (byte)random.Next(WireTypes.OfProgram.All.Count), 0);
        }

        return bytes;
    }

    private static byte[] Mutate(byte[] bytes, Random random)
    {
        var changed = bytes.ToList();
        for (var changes = random.Next(4); changes > 0 && changed.Count > 4; changes--)
        {
            var at = random.Next(changed.Count);
            switch (random.Next(6))
            {
                case 0:
                    changed[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    changed[at] = (byte)random.Next(256);
                    break;
                case 2:
                    changed.RemoveRange(at, random.Next(1, changed.Count - at + 1));
                    break;
                case 3:
                    changed.InsertRange(at, changed.GetRange(at, random.Next(1, Math.Min(40, changed.Count - at) + 1)));
                    break;
                case 4:
                    // The bytes that Hyperion reads meaning into: null, short names of types, arrays, references, long strings, known and named types.
                    changed[at] = (byte)new[] { 0, 1, 7, 9, 16, 251, 252, 253, 254, 255 }[random.Next(10)];
                    break;
                default:
                    var length = BitConverter.GetBytes(new[] { int.MaxValue, int.MinValue, -1, 0x10000, 0x1000000 }[random.Next(5)]);
                    for (var i = 0; i < length.Length && at + i < changed.Count; i++)
                    {
                        changed[at + i] = length[i];
                    }

                    break;
            }
        }

        return [.. changed];
    }

    /// <summary>What was tried.</summary>
    /// <param name="Bytes">Bytes in all.</param>
    /// <param name="Payloads">Payloads.</param>
    /// <param name="Accepted">Payloads that were a message: unchanged, or with another number in it.</param>
    public sealed record Result(long Bytes, long Payloads, long Accepted)
    {
        /// <summary>Payloads that were none.</summary>
        public long Refused => Payloads - Accepted;
    }
}
