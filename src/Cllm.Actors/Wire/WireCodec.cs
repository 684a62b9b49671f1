using System.Buffers.Binary;
using System.Runtime.Serialization;
using Hyperion;

namespace Cllm.Actors.Wire;

/// <summary>Messages to bytes and back, by Hyperion: listed types only, in both directions. Threads may use one codec at once.</summary>
internal sealed class WireCodec
{
    /// <summary>A message is small, for tensors travel over the tensor channel. Below the remoting's own limit (akka.hocon), which drops without a word to the sender.</summary>
    public const int PayloadBytesMax = 500_000;

    private readonly WireTypes _types;
    private readonly Serializer _hyperion;

    /// <summary>Makes a codec for these types.</summary>
    public WireCodec(WireTypes types)
    {
        _types = types;
        _hyperion = new(new SerializerOptions(
            versionTolerance: false,
            preserveObjectReferences: false,
            surrogates: null,
            serializerFactories: null,
            knownTypes: types.All,
            ignoreISerializable: true,
            packageNameOverrides: null,
            disallowUnsafeTypes: true,
            typeFilter: new AllowList(types)));
    }

    /// <summary>The codec of this program's messages.</summary>
    public static WireCodec OfProgram => Lazily.OfProgram;

    /// <summary>What a reader must know of the writer: <see cref="WireTypes.Format"/>.</summary>
    public string Format => _types.Format;

    /// <summary>A message's bytes.</summary>
    /// <exception cref="SerializationException">Its type is not listed, or it is too large.</exception>
    public byte[] Write(object message)
    {
        if (!_types.IsMessage(message.GetType()))
        {
            throw new SerializationException($"{message.GetType()} is not among the messages that may be sent.");
        }

        using var stream = new MemoryStream();
        _hyperion.Serialize(message, stream);
        return stream.Length <= PayloadBytesMax
            ? stream.ToArray()
            : throw new SerializationException($"A {message.GetType().Name} of {stream.Length} bytes is more than the {PayloadBytesMax} that may be sent.");
    }

    /// <summary>The message that bytes from a peer stand for.</summary>
    /// <exception cref="SerializationException">They are not what <see cref="Write"/> gives for a listed message: nothing was made of them.</exception>
    public object Read(byte[] bytes)
    {
        if (bytes.Length > PayloadBytesMax)
        {
            throw new SerializationException($"A message of {bytes.Length} bytes is more than the {PayloadBytesMax} that are read.");
        }

        if (ShapeOf(bytes) is not { } shape)
        {
            throw new SerializationException("A message is of no type that is listed.");
        }

        return shape.Matches(bytes)
            ? _hyperion.Deserialize<object>(new MemoryStream(bytes, writable: false))
            : throw new SerializationException("A message is not what is written for its type.");
    }

    /// <summary>The shape of the type that the first bytes name; none when they name none.</summary>
    private WireShape? ShapeOf(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= 1 + sizeof(ushort) && _types.Shapes.TryGetValue(BinaryPrimitives.ReadUInt16LittleEndian(bytes[1..]), out var shape) ? shape : null;

    /// <summary>A run in one process sends nothing and pays for no codec.</summary>
    private static class Lazily
    {
        public static readonly WireCodec OfProgram = new(WireTypes.OfProgram);
    }

    /// <summary>
    /// Hyperion's own gate, behind the shapes: it asks for a type to be written by its assembly-qualified name, and for one to be read by a shorter one.
    /// </summary>
    private sealed class AllowList(WireTypes types) : ITypeFilter
    {
        private readonly HashSet<string> _names = [.. types.All.Select(type => type.AssemblyQualifiedName!)];
        private readonly TypeFilter _short = types.All.Aggregate(TypeFilterBuilder.Create(), (builder, type) => builder.Include(type)).Build();

        public bool IsAllowed(string typeName) => _names.Contains(typeName) || _short.IsAllowed(typeName);
    }
}
