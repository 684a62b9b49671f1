using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Cllm.Tests.Text;

/// <summary>Any valid string: code points of all planes, often from ranges where tokenizers go wrong.</summary>
public sealed record UnicodeString(string Get)
{
    private static readonly Gen<int> CodePoints = Gen.OneOf(
        Gen.Choose(0, 0x7F),
        Gen.Choose(0x80, 0x2FF),
        Gen.Choose(0x2000, 0x206F),
        Gen.Choose(0x3000, 0x9FFF),
        Gen.Choose(0xE000, 0xFFFF),
        Gen.Choose(0x10000, 0x10FFFF),
        Gen.Choose(0x1F300, 0x1FAFF),
        Gen.Elements(' ', '\n', '\t', '\r', 0xA0, 0x85, '\''));

    /// <summary>What FsCheck draws from.</summary>
    public static Arbitrary<UnicodeString> Arbitrary() =>
        CodePoints.ListOf().Select(Text).Select(text => new UnicodeString(text)).ToArbitrary();

    private static string Text(IEnumerable<int> points) => string.Concat(points.Select(point => new Rune(point).ToString()));
}
