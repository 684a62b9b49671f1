using System.Globalization;
using System.Reflection;
using System.Text;
using Cllm.Protocol;
using Cllm.Protocol.Identity;
using Cllm.Protocol.Messages;
using Cllm.Protocol.Tree;

namespace Cllm.Tests.Protocol;

/// <summary>Inputs and effects as lines of text: the record's name, then its parts as Name=value.</summary>
internal static class TranscriptText
{
    private static readonly Dictionary<string, Type> Types = typeof(IMachine).Assembly.GetTypes()
        .Where(type => type is { IsAbstract: false, IsClass: true }
            && (type.IsAssignableTo(typeof(Input)) || type.IsAssignableTo(typeof(Effect))))
        .ToDictionary(type => type.Name);

    /// <summary>As in <c>ShardUpdated Epoch=1 Step=0 Shard=1</c>; a message that is sent stands behind its destination.</summary>
    public static string Write(object part)
    {
        if (part is Send send)
        {
            return $"{send.To} {Write(send.Message)}";
        }

        var text = new StringBuilder(part.GetType().Name);
        foreach (var parameter in Parameters(part.GetType()))
        {
            text.Append(' ').Append(parameter.Name).Append('=').Append(
                WriteValue(part.GetType().GetProperty(parameter.Name!)!.GetValue(part)));
        }

        return text.ToString();
    }

    /// <summary>Reads an input as <see cref="Write"/> writes it.</summary>
    public static Input ReadInput(string line)
    {
        var words = Words(line);
        var type = Types[words[0]];
        var values = words.Skip(1).Select(word => word.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        var arguments = Parameters(type).Select(parameter => ReadValue(values[parameter.Name!], parameter.ParameterType)).ToArray();
        return (Input)type.GetConstructors()[0].Invoke(arguments);
    }

    /// <summary>Sets the properties named in Name=value words on a record that a factory made.</summary>
    public static T ReadSettings<T>(T settings, IEnumerable<string> words)
        where T : class
    {
        foreach (var word in words)
        {
            var pair = word.Split('=', 2);
            var property = typeof(T).GetProperty(pair[0]) ?? throw new FormatException($"no setting {pair[0]}");
            property.SetValue(settings, ReadValue(pair[1], property.PropertyType));
        }

        return settings;
    }

    /// <summary>Words of a line; what stands between quotes is one.</summary>
    public static List<string> Words(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var isQuoted = false;
        foreach (var letter in line + " ")
        {
            isQuoted ^= letter == '"';
            if (letter == ' ' && !isQuoted)
            {
                if (word.Length > 0)
                {
                    words.Add(word.ToString());
                    word.Clear();
                }
            }
            else
            {
                word.Append(letter);
            }
        }

        return words;
    }

    private static ParameterInfo[] Parameters(Type type) => type.GetConstructors()[0].GetParameters();

    private static string WriteValue(object? value) => value switch
    {
        null => "none",
        string text => $"\"{text}\"",
        ReductionSource[] sources => string.Join(',', sources),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static object? ReadValue(string text, Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        return text == "none" ? null
            : type == typeof(string) ? text.Trim('"')
            : type == typeof(int) ? int.Parse(text, CultureInfo.InvariantCulture)
            : type == typeof(long) ? long.Parse(text, CultureInfo.InvariantCulture)
            : type == typeof(bool) ? bool.Parse(text)
            : type == typeof(Payload) ? ReadPayload(text)
            : type == typeof(Incarnation) ? ReadIncarnation(text)
            : type == typeof(RunIdentity) ? ReadRun(text)
            : type == typeof(LeaseId) ? ReadLease(text)
            : type == typeof(LeafNode) ? ReadNode(text)
            : type == typeof(BufferLease) ? ReadBuffer(text)
            : type == typeof(ReductionSource[]) ? text.Split(',').Select(ReadSource).ToArray()
            : Activator.CreateInstance(type, ReadValue(text, type.GetConstructors()[0].GetParameters()[0].ParameterType));
    }

    private static Payload ReadPayload(string text) =>
        Payload.Of([.. text.Trim('[', ']').Split(',', StringSplitOptions.RemoveEmptyEntries).Select(
            word => long.Parse(word, CultureInfo.InvariantCulture))]);

    private static Incarnation ReadIncarnation(string text)
    {
        var at = text.IndexOf('.', StringComparison.Ordinal);
        var start = long.Parse(text[(at + 1)..], CultureInfo.InvariantCulture);
        if (at < 0)
        {
            return new(start);
        }

        var (epoch, moves) = text.Contains('+', StringComparison.Ordinal) ? Pair(text[..at], '+') : (long.Parse(text[..at], CultureInfo.InvariantCulture), 0);
        return new((epoch << 32) + (moves << 20) + start);
    }

    private static RunIdentity ReadRun(string text)
    {
        var parts = text.Split('/');
        return new(parts[0], parts[1], int.Parse(parts[2], CultureInfo.InvariantCulture));
    }

    private static LeaseId ReadLease(string text)
    {
        var (epoch, count) = Pair(text, '.');
        return new(LeaseId.FirstOf(new(epoch)).Number + count - 1);
    }

    private static LeafNode ReadNode(string text)
    {
        var (level, index) = Pair(text, ':');
        return new((int)level, (int)index);
    }

    private static BufferLease ReadBuffer(string text)
    {
        var at = text.IndexOf('@');
        return new(ReadLease(text[(at + 1)..]), text[..at] == "?" ? BufferLease.Any : int.Parse(text[..at], CultureInfo.InvariantCulture));
    }

    private static ReductionSource ReadSource(string text)
    {
        var parts = text.Split('/');
        return new(ReadNode(parts[0]), new(int.Parse(parts[1][1..], CultureInfo.InvariantCulture)), ReadBuffer(parts[2][1..]));
    }

    private static (long First, long Second) Pair(string text, char separator)
    {
        var parts = text.Split(separator);
        return (long.Parse(parts[0], CultureInfo.InvariantCulture), long.Parse(parts[1], CultureInfo.InvariantCulture));
    }
}
