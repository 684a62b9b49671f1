using System.Text;

namespace Cllm.Model.Corpus;

/// <summary>
/// Expands templates: <c>[one|other]</c> is one of the alternatives, at random; <c>{slot}</c> is what the scene has under that name,
/// itself a template; <c>{Slot}</c> or <c>{h.Slot}</c> begins with a capital; <c>{a:slot}</c> puts "a" or "an" before it.
/// </summary>
internal static class Template
{
    /// <summary>Appends one expansion.</summary>
    public static void Expand(ReadOnlySpan<char> template, Scene scene, StringBuilder text)
    {
        while (!template.IsEmpty)
        {
            int special = template.IndexOfAny('[', '{');
            if (special < 0)
            {
                text.Append(template);
                return;
            }

            text.Append(template[..special]);
            template = template[special..];
            int end = template[0] == '[' ? ClosingBracket(template) : template.IndexOf('}');
            ReadOnlySpan<char> inner = template[1..end];
            if (template[0] == '[')
            {
                Expand(Alternative(inner, scene.Next(Alternatives(inner))), scene, text);
            }
            else
            {
                ExpandSlot(inner, scene, text);
            }

            template = template[(end + 1)..];
        }
    }

    private static void ExpandSlot(ReadOnlySpan<char> name, Scene scene, StringBuilder text)
    {
        bool article = name.StartsWith("a:");
        if (article)
        {
            name = name[2..];
        }

        bool capital = char.IsAsciiLetterUpper(name[name.IndexOf('.') + 1]);
        int start = text.Length;
        Expand(scene[capital ? name.ToString().ToLowerInvariant() : name.ToString()], scene, text);
        if (article)
        {
            text.Insert(start, text[start] is 'a' or 'e' or 'i' or 'o' or 'u' ? "an " : "a ");
        }

        if (capital)
        {
            text[start] = char.ToUpperInvariant(text[start]);
        }
    }

    private static int ClosingBracket(ReadOnlySpan<char> template)
    {
        int depth = 0;
        for (int i = 0; i < template.Length; i++)
        {
            depth += template[i] == '[' ? 1 : template[i] == ']' ? -1 : 0;
            if (depth == 0)
            {
                return i;
            }
        }

        throw new InvalidOperationException($"A bracket is not closed in \"{template}\".");
    }

    private static int Alternatives(ReadOnlySpan<char> inner)
    {
        int count = 1;
        for (int rest = Bar(inner); rest >= 0; rest = Bar(inner))
        {
            inner = inner[(rest + 1)..];
            count++;
        }

        return count;
    }

    private static ReadOnlySpan<char> Alternative(ReadOnlySpan<char> inner, int index)
    {
        for (; index > 0; index--)
        {
            inner = inner[(Bar(inner) + 1)..];
        }

        int end = Bar(inner);
        return end < 0 ? inner : inner[..end];
    }

    // The next bar outside inner brackets, or -1.
    private static int Bar(ReadOnlySpan<char> inner)
    {
        int depth = 0;
        for (int i = 0; i < inner.Length; i++)
        {
            depth += inner[i] == '[' ? 1 : inner[i] == ']' ? -1 : 0;
            if (depth == 0 && inner[i] == '|')
            {
                return i;
            }
        }

        return -1;
    }
}
