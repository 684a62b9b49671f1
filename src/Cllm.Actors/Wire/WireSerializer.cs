using System.Numerics;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Event;
using Akka.Serialization;

namespace Cllm.Actors.Wire;

/// <summary>
/// Akka.NET's serializer for <see cref="Cllm.Protocol.IMessage"/> and <see cref="IWire"/>, bound in akka.hocon: <see cref="WireCodec"/>, and a warning when it refuses.
/// The manifest is the format of the list of types, so a message of another version of the program is known for one before it is looked at.
/// </summary>
public sealed class WireSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private int _refused;

    /// <inheritdoc/>
    public override int Identifier => 1202;

    /// <inheritdoc/>
    public override string Manifest(object o) => WireCodec.OfProgram.Format;

    /// <inheritdoc/>
    /// <exception cref="SerializationException">The message may not be sent; its sender is not told.</exception>
    public override byte[] ToBinary(object obj)
    {
        try
        {
            return WireCodec.OfProgram.Write(obj);
        }
        catch (SerializationException refused)
        {
            Say($"a message was not sent: {refused.Message}");
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="SerializationException">The bytes are no message of this program; they are dropped.</exception>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        try
        {
            return manifest == WireCodec.OfProgram.Format
                ? WireCodec.OfProgram.Read(bytes)
                : throw new SerializationException(
                    $"it comes from another version of the program (messages of format {Printable(manifest)}, here {WireCodec.OfProgram.Format}); "
                    + "install the same version on both.");
        }
        catch (SerializationException refused)
        {
            Say($"a message was dropped: {refused.Message}");
            throw;
        }
    }

    /// <summary>A peer chooses the manifest: only a few plain letters of it are repeated.</summary>
    private static string Printable(string manifest) =>
        manifest.Length is > 0 and <= 16 && manifest.All(char.IsAsciiLetterOrDigit) ? manifest : "unknown";

    /// <summary>Says it the first, second, fourth, eighth … time: a storm of refused messages is no storm of notes.</summary>
    private void Say(string sentence)
    {
        var count = (uint)Interlocked.Increment(ref _refused);
        if (BitOperations.IsPow2(count))
        {
            system.Log.Warning("{0} ({1} refused so far)", sentence, count);
        }
    }
}
