using Akka.Configuration;
using Akka.Configuration.Hocon;
using Cllm.Actors;
using Cllm.Model;

namespace Cllm.Tests.Actors;

/// <summary>What akka.hocon promises in its first lines: every key has a variable and can be given on the command line, whatever section it is of.</summary>
public sealed class HoconKeysTests
{
    /// <summary>A value that every key of ours takes, durations among them, and that none has.</summary>
    private const string Value = "17";

    private static readonly string[] All = [.. Leaves("", ConfigurationFactory.ParseString(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, Hocon.FileName))).Root)];

    [Fact]
    public void Every_key_without_quotes_can_be_set_by_its_variable()
    {
        string[] keys = [.. All.Where(key => !key.Contains('"', StringComparison.Ordinal))];
        Assert.Contains("petabridge.cmd.port", keys);
        Assert.True(keys.Length > 20);
        Assert.All(keys, key => Assert.Equal(Value, Hocon.Load(null, [(key.ToUpperInvariant().Replace(".", "__").Replace('-', '_'), Value)]).GetString(key)));
    }

    [Fact]
    public void Every_key_can_be_set_on_the_command_line()
    {
        Assert.Contains("akka.actor.serialization-bindings.\"Cllm.Actors.Wire.IWire, Cllm.Actors\"", All);
        Assert.All(All, key => Assert.Equal(Value, Hocon.Load(null, [], [$"{key}={Value}"]).GetString(key)));
    }

    [Fact]
    public void A_name_in_quotes_may_hold_an_equals_sign()
    {
        string key = "akka.actor.serialization-bindings.\"A, B, Version=1.0\"";
        Assert.Equal("a=b", Hocon.Load(null, [], [$"{key} = a=b"]).GetString(key));
    }

    [Theory]
    [InlineData("akka.\"a=3")]
    [InlineData("akka.\"\"=3")]
    [InlineData("\"akka\".loglevel=INFO")]
    public void Quotes_that_are_no_name_are_refused(string given) =>
        Assert.StartsWith($"--set is '{given}' and must be KEY=VALUE", Assert.Throws<InputException>(() => Hocon.Load(null, [], [given])).Message, StringComparison.Ordinal);

    private static IEnumerable<string> Leaves(string path, HoconValue value) => value.IsObject()
        ? value.GetObject().Items.SelectMany(item => Leaves($"{path}{(path.Length > 0 ? "." : "")}{Name(item.Key)}", item.Value))
        : [path];

    private static string Name(string key) => key.All(sign => char.IsAsciiLetterOrDigit(sign) || sign is '-') ? key : $"\"{key}\"";
}
