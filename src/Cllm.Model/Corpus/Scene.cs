namespace Cllm.Model.Corpus;

/// <summary>
/// What holds within one story: who plays, which things and places are meant. Chosen once, so that no sentence contradicts another.
/// </summary>
internal sealed class Scene
{
    private readonly Dictionary<string, string> _slots = new(Phrases.Shared);
    private readonly List<Kind> _kinds = [];
    private readonly List<string> _names = [];
    private SplitMix64 _random;

    /// <summary>An empty stage, with the weather and the places of the day.</summary>
    public Scene(ulong seed)
    {
        _random = new SplitMix64(seed);
        string place = Pick(Props.Places);
        Set("place", place);
        Set("elsewhere", PickOther(Props.Places, place));
        string spot = Pick(Props.Spots);
        Set("spot", spot);
        Set("otherspot", PickOther(Props.Spots, spot));
        Set("color", Pick(Props.Colors));
        Set("food", Pick(Props.Foods));
        Set("berries", Pick(Props.Berries));
    }

    /// <summary>What a slot holds; a template.</summary>
    public string this[string slot] => _slots.TryGetValue(slot, out string? value)
        ? value
        : throw new InvalidOperationException($"No plot has set the slot {{{slot}}}.");

    /// <summary>A number from 0 to <paramref name="bound"/> - 1.</summary>
    public int Next(int bound) => _random.Next(bound);

    /// <summary>One of the choices.</summary>
    public T Pick<T>(IReadOnlyList<T> choices) => choices[Next(choices.Count)];

    /// <summary>Fills a slot.</summary>
    public void Set(string slot, string value) => _slots[slot] = value;

    /// <summary>A thing of a color: {thing} "red kite", {thing.n} "kite".</summary>
    public void SetThing(IReadOnlyList<string> things)
    {
        string thing = Pick(things);
        Set("thing.n", thing);
        Set("thing", $"{this["color"]} {thing}");
    }

    /// <summary>
    /// Gives a role to a character of a fitting kind whose name and kind nobody else in the story has: {h} the name, {h.kind},
    /// {h.he}, {h.him}, {h.his}, {h.home}, {h.went}.
    /// </summary>
    public Kind Cast(string role, Func<Kind, bool>? fits = null)
    {
        Kind[] kinds = [.. Kind.All.Where(kind => !_kinds.Contains(kind) && (fits is null || fits(kind)))];
        Kind kind = Pick(kinds);
        bool male = kind.Male ?? Next(2) == 0;
        string[] names = [.. (male ? Kind.MaleNames : Kind.FemaleNames).Where(name => !_names.Contains(name))];
        string name = Pick(names);
        _kinds.Add(kind);
        _names.Add(name);
        Set(role, name);
        Set(role + ".kind", kind.Name);
        Set(role + ".home", kind.Home);
        Set(role + ".went", kind.Went);
        Set(role + ".trait", Pick(Kind.Traits));
        Set(role + ".he", male ? "he" : "she");
        Set(role + ".him", male ? "him" : "her");
        Set(role + ".his", male ? "his" : "her");
        Set(role + ".parent", Next(2) == 0 ? "mother" : "father");
        return kind;
    }

    private string PickOther(string[] choices, string first) => Pick(Array.FindAll(choices, choice => choice != first));
}
