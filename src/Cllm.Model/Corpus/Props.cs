namespace Cllm.Model.Corpus;

/// <summary>The things and places of all stories.</summary>
internal static class Props
{
    /// <summary>Where one goes: fits behind "to" and "near".</summary>
    public static readonly string[] Places =
    [
        "the river", "the meadow", "the old mill", "the green hill", "the village", "the garden", "the market", "the forest",
        "the stone bridge", "the lake", "the farm", "the orchard", "the big field", "the beach",
    ];

    /// <summary>Where a small thing may lie.</summary>
    public static readonly string[] Spots =
    [
        "under the old oak tree", "behind the garden wall", "in the tall grass", "next to the well", "under the wooden bench",
        "beside the stream", "behind the barn", "between the roses", "on top of the haystack", "under a pile of leaves",
        "inside an empty barrel", "near the white gate",
    ];

    /// <summary>Colors; all go with "a".</summary>
    public static readonly string[] Colors = ["red", "blue", "green", "yellow", "golden", "silver", "purple", "white", "pink", "brown"];

    /// <summary>Things that one can love and lose.</summary>
    public static readonly string[] Treasures =
    [
        "kite", "ball", "drum", "hat", "scarf", "bell", "book", "doll", "whistle", "basket", "button", "ribbon", "flute",
        "blanket", "boat", "lantern",
    ];

    /// <summary>Things that can break and be mended.</summary>
    public static readonly string[] Fragile = ["drum", "boat", "cup", "doll", "lantern", "flute", "wagon", "kite", "bowl", "clock"];

    /// <summary>Things to eat, singular.</summary>
    public static readonly string[] Foods =
    [
        "apple", "pear", "plum", "carrot", "honey cake", "cheese roll", "nut bread", "cherry pie", "cookie", "pancake", "bun", "orange",
    ];

    /// <summary>Things to pick.</summary>
    public static readonly string[] Berries = ["strawberries", "blackberries", "raspberries", "mushrooms", "nuts", "wild flowers"];
}
