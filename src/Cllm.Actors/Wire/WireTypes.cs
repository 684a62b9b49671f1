using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Cllm.Protocol;

namespace Cllm.Actors.Wire;

/// <summary>
/// What may stand on the wire: message types, and the types of their fields. A type's place in the list is its name there, so both sides need the same list;
/// <see cref="Format"/> says whether they have it.
/// </summary>
internal sealed class WireTypes
{
    private const int FormatDigits = 8;

    private readonly Dictionary<Type, int> _places = [];

    /// <summary>Makes the list of these messages.</summary>
    /// <exception cref="InvalidOperationException">A field's type cannot be checked on arrival.</exception>
    public WireTypes(IEnumerable<Type> messages)
    {
        Messages = [.. messages.OrderBy(type => type.FullName, StringComparer.Ordinal)];
        var parts = new HashSet<Type>();
        foreach (var message in Messages)
        {
            AddParts(message, parts);
        }

        // Parts come before what holds them, arrays before all: Hyperion shortens the name of an array only when it has met it before its holder.
        All =
        [
            .. parts.Except(Messages).OrderBy(type => !type.IsArray).ThenBy(type => type.FullName, StringComparer.Ordinal),
            .. Messages,
        ];
        for (var place = 0; place < All.Count; place++)
        {
            _places.Add(All[place], place);
        }

        Shapes = Messages.ToDictionary(Place, message => WireShape.Of(message, Place));
        var text = string.Join('\n', All.Select(type => $"{type.FullName} {string.Join(',', Fields(type).Select(Describe))}"));
        Format = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..FormatDigits];
    }

    /// <summary>All of this program: the machines' messages and the hosts'.</summary>
    public static WireTypes OfProgram { get; } = new(
        Implementing(typeof(IMessage), typeof(IMessage).Assembly).Concat(Implementing(typeof(IWire), typeof(IWire).Assembly)));

    /// <summary>The message types, by name.</summary>
    public IReadOnlyList<Type> Messages { get; }

    /// <summary>All types in the order of their places.</summary>
    public IReadOnlyList<Type> All { get; }

    /// <summary>What the bytes of each message look like, by its place.</summary>
    public IReadOnlyDictionary<int, WireShape> Shapes { get; }

    /// <summary>Digest of the list with the fields of each type, in a few letters: a program with another one sends what this one cannot read.</summary>
    public string Format { get; }

    /// <summary>Whether a message of this type may travel.</summary>
    public bool IsMessage(Type type) => _places.TryGetValue(type, out var place) && Shapes.ContainsKey(place);

    /// <summary>Fields in the order in which Hyperion writes them: of the type and those it derives from, by name.</summary>
    public static FieldInfo[] Fields(Type type)
    {
        const BindingFlags All = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        var fields = new List<FieldInfo>();
        for (var at = type; at is not null && !type.IsArray; at = at.BaseType)
        {
            fields.AddRange(at.GetFields(All));
        }

        return [.. fields.OrderBy(field => field.Name, StringComparer.Ordinal)];
    }

    private static IEnumerable<Type> Implementing(Type marker, Assembly assembly) =>
        assembly.GetTypes().Where(type => !type.IsAbstract && !type.IsGenericTypeDefinition && marker.IsAssignableFrom(type));

    private static string Describe(FieldInfo field) => $"{field.Name}:{field.FieldType}";

    private int Place(Type type) => _places[type];

    private static void AddParts(Type type, HashSet<Type> parts)
    {
        foreach (var field in Fields(type))
        {
            var part = Nullable.GetUnderlyingType(field.FieldType) ?? field.FieldType;
            while (part.IsArray && !WireShape.IsPrimitive(part.GetElementType()!))
            {
                parts.Add(part);
                part = part.GetElementType()!;
            }

            if (!part.IsArray && !WireShape.IsPrimitive(part) && parts.Add(part))
            {
                AddParts(part, parts);
            }
        }
    }
}
