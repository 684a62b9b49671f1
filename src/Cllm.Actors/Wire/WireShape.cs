using System.Buffers.Binary;
using System.Reflection;
using System.Text.Unicode;

namespace Cllm.Actors.Wire;

/// <summary>
/// What bytes Hyperion writes for a value of one declared type. Bytes from a peer are compared with it before Hyperion reads them, because Hyperion itself believes
/// what it reads: it allocates an array of whatever length the bytes claim, and follows types nested in each other until the stack is used up.
/// </summary>
/// <remarks>
/// A shape takes exactly what is written for the type, in one form: the declared type and no other in each field, no name of a type, no null where none may be,
/// and no length beyond the bytes there are. So reading costs no more memory than a small multiple of the bytes, and its depth is that of the declared types.
/// </remarks>
internal abstract class WireShape
{
    private const byte Null = 0;
    private const byte Bytes = 9;
    private const byte PrimitiveArray = 252;
    private const byte Listed = 254;
    private const byte LongString = 255;

    /// <summary>Numbers, and how many bytes each has; the manifest stands before one that may be null, and before an array's elements.</summary>
    private static readonly Dictionary<Type, (byte Manifest, int Size)> Primitives = new()
    {
        [typeof(long)] = (2, 8),
        [typeof(short)] = (3, 2),
        [typeof(byte)] = (4, 1),
        [typeof(bool)] = (6, 1),
        [typeof(string)] = (7, 0),
        [typeof(int)] = (8, 4),
        [typeof(Guid)] = (11, 16),
        [typeof(float)] = (12, 4),
        [typeof(double)] = (13, 8),
        [typeof(ushort)] = (17, 2),
        [typeof(uint)] = (18, 4),
        [typeof(ulong)] = (19, 8),
        [typeof(sbyte)] = (20, 1),
    };

    /// <summary>Whether Hyperion writes a field of this type without saying what it is.</summary>
    public static bool IsPrimitive(Type type) => Primitives.ContainsKey(type);

    /// <summary>The shape of a message.</summary>
    /// <param name="message">Its type.</param>
    /// <param name="place">The place of a type in the list.</param>
    /// <exception cref="InvalidOperationException">A field's type cannot be checked.</exception>
    public static WireShape Of(Type message, Func<Type, int> place) => Record(message, place, []);

    /// <summary>Whether all of the bytes are one value of this shape.</summary>
    public bool Matches(ReadOnlySpan<byte> bytes) => Take(ref bytes) && bytes.IsEmpty;

    /// <summary>Takes one value off the front; false when what stands there is none.</summary>
    protected abstract bool Take(ref ReadOnlySpan<byte> bytes);

    private static bool Skip(ref ReadOnlySpan<byte> bytes, int count)
    {
        if (count > bytes.Length)
        {
            return false;
        }

        bytes = bytes[count..];
        return true;
    }

    private static bool TakeByte(ref ReadOnlySpan<byte> bytes, byte expected) => !bytes.IsEmpty && bytes[0] == expected && Skip(ref bytes, 1);

    private static bool TakeListed(ref ReadOnlySpan<byte> bytes, int place)
    {
        const int ManifestBytes = 3;
        return bytes.Length >= ManifestBytes && bytes[0] == Listed && BinaryPrimitives.ReadUInt16LittleEndian(bytes[1..]) == place
            && Skip(ref bytes, ManifestBytes);
    }

    /// <summary>A count of things that have at least one byte each.</summary>
    private static bool TakeCount(ref ReadOnlySpan<byte> bytes, out int count)
    {
        count = 0;
        return BinaryPrimitives.TryReadInt32LittleEndian(bytes, out count) && Skip(ref bytes, sizeof(int)) && count >= 0 && count <= bytes.Length;
    }

    private static WireShape Record(Type type, Func<Type, int> place, List<Type> within)
    {
        if ((!type.IsSealed && !type.IsValueType) || within.Contains(type) || type.IsGenericType || type.Namespace!.StartsWith("System", StringComparison.Ordinal))
        {
            throw new InvalidOperationException(
                $"{type} cannot travel: a message holds numbers, strings, enums, sealed records and structs that do not hold themselves, and arrays of those.");
        }

        within.Add(type);
        var shape = new Fields(place(type), [.. WireTypes.Fields(type).Select(field => Field(field, place, within))]);
        within.Remove(type);
        return shape;
    }

    private static WireShape Field(FieldInfo field, Func<Type, int> place, List<Type> within) =>
        Value(field.FieldType, new NullabilityInfoContext().Create(field), place, within);

    private static WireShape Value(Type type, NullabilityInfo nullability, Func<Type, int> place, List<Type> within)
    {
        var mayBeNull = nullability.ReadState == NullabilityState.Nullable;
        if (type == typeof(string))
        {
            return new Text(mayBeNull);
        }

        if (Primitives.TryGetValue(type, out var primitive))
        {
            return new Number(primitive.Size, type == typeof(bool));
        }

        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return new OrNull(
                Primitives.TryGetValue(underlying, out var nullable)
                    ? new Tagged(nullable.Manifest, new Number(nullable.Size, underlying == typeof(bool)))
                    : Record(underlying, place, within));
        }

        var shape = type.IsArray ? Array(type, nullability, place, within) : Record(type, place, within);
        return mayBeNull ? new OrNull(shape) : shape;
    }

    private static WireShape Array(Type type, NullabilityInfo nullability, Func<Type, int> place, List<Type> within)
    {
        var element = type.GetElementType()!;
        if (element == typeof(byte))
        {
            return new Tagged(Bytes, new Many(new Number(1, false)));
        }

        var shape = Value(element, nullability.ElementType!, place, within);
        return Primitives.TryGetValue(element, out var primitive)
            ? new Tagged(PrimitiveArray, new Tagged(primitive.Manifest, new Many(shape)))
            : new ListedArray(place(type), new Many(shape));
    }

    /// <summary>A number, which any bytes are; a truth value is 0 or 1.</summary>
    private sealed class Number(int size, bool isTruth) : WireShape
    {
        protected override bool Take(ref ReadOnlySpan<byte> bytes) => (!isTruth || (!bytes.IsEmpty && bytes[0] <= 1)) && Skip(ref bytes, size);
    }

    /// <summary>A length and as many bytes of UTF-8: one byte for a length below 254, else five.</summary>
    private sealed class Text(bool mayBeNull) : WireShape
    {
        protected override bool Take(ref ReadOnlySpan<byte> bytes)
        {
            if (bytes.IsEmpty)
            {
                return false;
            }

            var first = bytes[0];
            bytes = bytes[1..];
            if (first == Null)
            {
                return mayBeNull;
            }

            var length = first - 1;
            if (first == LongString && (!TakeCount(ref bytes, out length) || length < LongString - 1))
            {
                return false;
            }

            return length <= bytes.Length && Utf8.IsValid(bytes[..length]) && Skip(ref bytes, length);
        }
    }

    private sealed class OrNull(WireShape shape) : WireShape
    {
        protected override bool Take(ref ReadOnlySpan<byte> bytes) => TakeByte(ref bytes, Null) || shape.Take(ref bytes);
    }

    private sealed class Tagged(byte manifest, WireShape shape) : WireShape
    {
        protected override bool Take(ref ReadOnlySpan<byte> bytes) => TakeByte(ref bytes, manifest) && shape.Take(ref bytes);
    }

    private sealed class Many(WireShape element) : WireShape
    {
        protected override bool Take(ref ReadOnlySpan<byte> bytes)
        {
            if (!TakeCount(ref bytes, out var count))
            {
                return false;
            }

            for (var i = 0; i < count; i++)
            {
                if (!element.Take(ref bytes))
                {
                    return false;
                }
            }

            return true;
        }
    }

    private sealed class ListedArray(int place, WireShape elements) : WireShape
    {
        protected override bool Take(ref ReadOnlySpan<byte> bytes) => TakeListed(ref bytes, place) && elements.Take(ref bytes);
    }

    private sealed class Fields(int place, WireShape[] fields) : WireShape
    {
        protected override bool Take(ref ReadOnlySpan<byte> bytes)
        {
            if (!TakeListed(ref bytes, place))
            {
                return false;
            }

            foreach (var field in fields)
            {
                if (!field.Take(ref bytes))
                {
                    return false;
                }
            }

            return true;
        }
    }
}
