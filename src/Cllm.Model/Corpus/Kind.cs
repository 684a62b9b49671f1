namespace Cllm.Model.Corpus;

/// <summary>A kind of character, with what is true of all of its kind.</summary>
/// <param name="Name">The noun.</param>
/// <param name="Home">Where it lives: fits behind "in".</param>
/// <param name="Went">How it went: fits before "to the river".</param>
/// <param name="Skill">What it can do better than others.</param>
/// <param name="Male">Whether all of the kind are male or female; null when both occur.</param>
internal sealed record Kind(string Name, string Home, string Went, Skill Skill = Skill.None, bool? Male = null)
{
    /// <summary>All kinds.</summary>
    public static readonly Kind[] All =
    [
        new("rabbit", "a snug burrow", "hopped", Skill.Digs),
        new("mouse", "a tiny hole", "scurried"),
        new("fox", "a quiet den", "trotted"),
        new("bear", "a warm cave", "walked", Skill.IsStrong),
        new("squirrel", "a hollow tree", "scampered", Skill.Climbs),
        new("hedgehog", "a leafy nest", "shuffled"),
        new("frog", "a green pond", "hopped", Skill.Swims),
        new("duck", "a soft nest", "waddled", Skill.Swims),
        new("owl", "an old barn", "flew", Skill.Flies),
        new("robin", "a round nest", "flew", Skill.Flies),
        new("turtle", "a sandy hollow", "plodded", Skill.Swims),
        new("otter", "a muddy den", "ran", Skill.Swims),
        new("kitten", "a small cottage", "padded", Skill.Climbs),
        new("puppy", "a wooden kennel", "ran"),
        new("pony", "a dry stable", "trotted", Skill.IsStrong),
        new("donkey", "a stone barn", "walked", Skill.IsStrong),
        new("lamb", "a red barn", "skipped"),
        new("piglet", "a clean sty", "trotted"),
        new("beaver", "a wooden lodge", "waddled", Skill.Swims),
        new("mole", "a long tunnel", "shuffled", Skill.Digs),
        new("badger", "a deep den", "walked", Skill.Digs),
        new("boy", "a little house", "ran", Male: true),
        new("girl", "a little house", "ran", Male: false),
    ];

    /// <summary>Names that "he" goes with.</summary>
    public static readonly string[] MaleNames =
    [
        "Pip", "Tom", "Max", "Ben", "Leo", "Sam", "Otto", "Finn", "Milo", "Hugo", "Jack", "Toby", "Oscar", "Felix", "Rufus", "Bruno",
    ];

    /// <summary>Names that "she" goes with.</summary>
    public static readonly string[] FemaleNames =
    [
        "Lily", "Mia", "Rosie", "Anna", "Luna", "Nell", "Ruby", "Daisy", "Poppy", "Molly", "Ella", "Clara", "Hazel", "Ivy", "Tilly",
        "Nora",
    ];

    /// <summary>What a character is like; all go with "a".</summary>
    public static readonly string[] Traits =
    [
        "brave", "curious", "shy", "cheerful", "gentle", "clever", "playful", "quiet", "merry", "busy", "dreamy", "kind",
    ];
}

/// <summary>What a character can do that others cannot.</summary>
internal enum Skill
{
    None,
    Flies,
    Climbs,
    Swims,
    Digs,
    IsStrong,
}
