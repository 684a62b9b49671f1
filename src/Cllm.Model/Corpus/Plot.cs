using System.Text;

namespace Cllm.Model.Corpus;

/// <summary>
/// One kind of story. Its text is a template (<see cref="Template"/>) in paragraphs that blank lines separate; line ends inside a
/// paragraph are spaces.
/// </summary>
internal sealed class Plot
{
    private readonly string _title;
    private readonly string[] _paragraphs;
    private readonly Action<Scene> _prepare;

    /// <summary>Creates a plot.</summary>
    /// <param name="title">Template of the title.</param>
    /// <param name="text">Template of the story.</param>
    /// <param name="prepare">Casts the characters and chooses what the templates name; h is the hero, f a friend, o another one.</param>
    public Plot(string title, string text, Action<Scene> prepare)
    {
        _title = title;
        _paragraphs = [.. text.ReplaceLineEndings("\n").Split("\n\n").Select(paragraph => paragraph.Trim().Replace('\n', ' '))];
        _prepare = prepare;
    }

    /// <summary>Appends one story without a line end behind it.</summary>
    public void Tell(Scene scene, StringBuilder text)
    {
        _prepare(scene);
        int start = text.Length;
        Template.Expand(_title, scene, text);
        CapitalizeWords(text, start);
        foreach (string paragraph in _paragraphs)
        {
            text.Append('\n');
            Template.Expand(paragraph, scene, text);
        }
    }

    private static void CapitalizeWords(StringBuilder text, int start)
    {
        string[] words = text.ToString(start, text.Length - start).Split(' ');
        for (int i = 0; i < words.Length; i++)
        {
            if (i == 0 || words[i] is not ("a" or "an" or "and" or "the" or "of" or "in" or "for" or "to" or "on" or "by" or "at"))
            {
                words[i] = char.ToUpperInvariant(words[i][0]) + words[i][1..];
            }
        }

        text.Length = start;
        text.AppendJoin(' ', words);
    }
}
