using System.Reflection;
using Cllm.Actors.Wire;
using Cllm.Protocol;

namespace Cllm.Tests.Wire;

/// <summary>Messages with random content, made of their declarations alone: a new type needs no line here.</summary>
internal static class Instances
{
    private static readonly string[] Texts = ["", "why", "größer als π", new('x', 253), new('y', 254), new('ß', 500)];

    public static object Make(Type type, Random random)
    {
        if (type == typeof(Payload))
        {
            return Payload.Of([.. Enumerable.Range(0, random.Next(6)).Select(_ => random.NextInt64(long.MinValue, long.MaxValue))]);
        }

        var constructor = type.GetConstructors().OrderByDescending(candidate => candidate.GetParameters().Length).FirstOrDefault();
        var made = constructor is null
            ? Activator.CreateInstance(type)!
            : constructor.Invoke([.. constructor.GetParameters().Select(parameter => Value(parameter.ParameterType, new NullabilityInfoContext().Create(parameter), random))]);
        foreach (var property in type.GetProperties().Where(property => property.CanWrite && constructor?.GetParameters().Length is null or 0))
        {
            property.SetValue(made, Value(property.PropertyType, new NullabilityInfoContext().Create(property), random));
        }

        return made;
    }

    /// <summary>Whether two values have the same content, arrays included.</summary>
    public static bool Same(object? a, object? b)
    {
        if (a is null || b is null || a.GetType() != b.GetType())
        {
            return a is null && b is null;
        }

        if (a is Array first && b is Array second)
        {
            return first.Length == second.Length && first.Cast<object?>().Zip(second.Cast<object?>()).All(pair => Same(pair.First, pair.Second));
        }

        return WireShape.IsPrimitive(a.GetType()) || a.GetType().IsEnum
            ? a.Equals(b)
            : WireTypes.Fields(a.GetType()).All(field => Same(field.GetValue(a), field.GetValue(b)));
    }

    private static object? Value(Type type, NullabilityInfo nullability, Random random)
    {
        if ((Nullable.GetUnderlyingType(type) is not null || nullability.ReadState == NullabilityState.Nullable) && random.Next(3) == 0)
        {
            return null;
        }

        var own = Nullable.GetUnderlyingType(type) ?? type;
        if (own.IsArray)
        {
            var array = Array.CreateInstance(own.GetElementType()!, random.Next(5));
            for (var i = 0; i < array.Length; i++)
            {
                array.SetValue(Value(own.GetElementType()!, nullability.ElementType!, random), i);
            }

            return array;
        }

        return own switch
        {
            _ when own == typeof(string) => Texts[random.Next(Texts.Length)],
            _ when own == typeof(bool) => random.Next(2) == 0,
            _ when own == typeof(double) => BitConverter.Int64BitsToDouble(random.NextInt64(long.MinValue, long.MaxValue)),
            _ when own == typeof(float) => BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)),
            _ when own == typeof(Guid) => new Guid(Bytes(16, random)),
            _ when own.IsEnum => Enum.GetValues(own).GetValue(random.Next(Enum.GetValues(own).Length)),
            _ when own.IsPrimitive => Whole(own, random),
            _ => Make(own, random),
        };
    }

    private static object Whole(Type type, Random random)
    {
        Span<byte> bytes = Bytes(8, random);
        return Type.GetTypeCode(type) switch
        {
            TypeCode.Byte => bytes[0],
            TypeCode.SByte => (sbyte)bytes[0],
            TypeCode.Int16 => BitConverter.ToInt16(bytes),
            TypeCode.UInt16 => BitConverter.ToUInt16(bytes),
            TypeCode.Int32 => BitConverter.ToInt32(bytes),
            TypeCode.UInt32 => BitConverter.ToUInt32(bytes),
            TypeCode.Int64 => BitConverter.ToInt64(bytes),
            TypeCode.UInt64 => BitConverter.ToUInt64(bytes),
            _ => throw new ArgumentException($"no random {type}"),
        };
    }

    private static byte[] Bytes(int count, Random random)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
