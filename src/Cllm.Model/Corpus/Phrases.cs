namespace Cllm.Model.Corpus;

/// <summary>Turns of phrase that all plots share.</summary>
internal static class Phrases
{
    /// <summary>The slots that every scene begins with.</summary>
    public static readonly Dictionary<string, string> Shared = new()
    {
        ["opening"] = "[Once upon a time|Once|Long ago|Not so long ago], "
            + "there [was|lived] a [little|small|young|{h.trait}] {h.kind} named {h}. {house}",
        ["house"] = "[{h.He} lived in {h.home} near {place}.|{h} lived in {h.home}, not far from {place}."
            + "|{h.His} home was {h.home} near {place}.]",
        ["meeting"] = "[In {h.home} near {place} lived a {h.trait} {h.kind} called {h}."
            + "|Near {place} lived a {h.trait} {h.kind}. {h.His} name was {h}."
            + "|{h} was a {h.trait} {h.kind}. {h.He} lived in {h.home} near {place}.]",
        ["begin"] = "[{opening}|{opening}|{meeting}]",
        ["daytime"] = "[one|one fine|one sunny|one bright|one windy|one cold|one warm] [morning|afternoon|day|spring day|autumn day]",
        ["oh"] = "[Oh no|Oh dear|Oh my|Dear me]",
        ["sad"] = "[sad|very sad|so sad that {h.he} sat down|close to tears]",
        ["happy"] = "[happy|very happy|so happy that {h.he} danced|full of joy|as happy as could be]",
        ["thanks"] = "[\"Thank you, {f}!\" said {h}.|\"Thank you so much!\" said {h}.|\"Oh, thank you!\" cried {h}."
            + "|\"You are a true friend,\" said {h}. \"Thank you!\"]",
        ["welcome"] = "[\"You are welcome,\" said {f}.|\"That is what friends are for,\" said {f}."
            + "|{f} smiled. \"It was nothing,\" {f.he} said.|\"I was glad to help,\" said {f}.|{f} laughed and gave {h.him} a hug.]",
        ["evening"] = "[They played together until the sun went down.|They laughed all the way home."
            + "|That evening they sat together and looked at the stars.|Then they went home, side by side, and sang a song."
            + "|They shared {a:food} and talked until the moon came up.|That night {h} slept well and dreamed of the next day.]",
    };
}
