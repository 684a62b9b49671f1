using Cllm.Actors;
using Cllm.Actors.Threads;
using Cllm.Model;

namespace Cllm.Tests.Actors;

public sealed class HoconTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"cllm-hocon-{Guid.NewGuid():n}.hocon");

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void The_programs_own_file_names_the_limits()
    {
        var hocon = Hocon.Load();
        Assert.Equal(3, hocon.GetInt("cllm.failures-max"));
        Assert.Equal(TimeSpan.FromSeconds(60), hocon.GetTimeSpan("cllm.patience"));
        Assert.Equal(typeof(ActorThreadsConfigurator), Type.GetType(hocon.GetString("cllm.dispatcher.type")));
    }

    [Fact]
    public void A_file_laid_over_it_wins_key_by_key()
    {
        File.WriteAllText(_path, "cllm.failures-max = 9");
        var hocon = Hocon.Load(_path, []);
        Assert.Equal(9, hocon.GetInt("cllm.failures-max"));
        Assert.Equal(TimeSpan.FromSeconds(60), hocon.GetTimeSpan("cllm.patience"));
    }

    [Fact]
    public void A_variable_wins_over_every_file()
    {
        File.WriteAllText(_path, "cllm { failures-max = 9, late-min = 2s }");
        var hocon = Hocon.Load(
            _path,
            [
                ("CLLM__FAILURES_MAX", "4"), ("AKKA__CLUSTER__SEED_NODES", "[\"akka.tcp://cllm@a:1\"]"),
                ("AKKA__REMOTE__DOT_NETTY__TCP__PUBLIC_HOSTNAME", "a:b \"c\""), ("CLLM_TRACE", "1"), ("CLLM__", "x"),
            ]);
        Assert.Equal(4, hocon.GetInt("cllm.failures-max"));
        Assert.Equal(TimeSpan.FromSeconds(2), hocon.GetTimeSpan("cllm.late-min"));
        Assert.Equal(["akka.tcp://cllm@a:1"], hocon.GetStringList("akka.cluster.seed-nodes"));
        Assert.Equal("a:b \"c\"", hocon.GetString("akka.remote.dot-netty.tcp.public-hostname"));
    }

    [Fact]
    public void A_misspelt_key_of_the_runs_own_section_is_named_and_not_ignored()
    {
        File.WriteAllText(_path, "cllm.patince = 60s");
        Assert.Contains("cllm.patince", Assert.Throws<InputException>(() => Hocon.Load(_path, [])).Message, StringComparison.Ordinal);
        var failure = Assert.Throws<InputException>(() => Hocon.Load(null, [("CLLM__PATINCE", "60s")]));
        Assert.Contains("CLLM__PATINCE", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_variable_that_is_not_hocon_is_named()
    {
        var failure = Assert.Throws<InputException>(() => Hocon.Load(null, [("CLLM__PATIENCE", "{ a { }, b = 1 } }")]));
        Assert.Contains("CLLM__PATIENCE", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        Assert.Contains(_path, Assert.Throws<InputException>(() => Hocon.Load(_path, [])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_hocon_is_named()
    {
        File.WriteAllText(_path, "cllm { a { }, b = 1 } }");
        Assert.Contains(_path, Assert.Throws<InputException>(() => Hocon.Load(_path, [])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cllm.patience = soon")]
    [InlineData("cllm.patience = 0s")]
    [InlineData("cllm.failures-max = many")]
    [InlineData("cllm.failures-max = -1")]
    [InlineData("cllm.retries-max = 0")]
    [InlineData("cllm.late-min = -1s")]
    [InlineData("cllm.settle = 0s")]
    [InlineData("cllm.patience = infinite")]
    [InlineData("cllm.announce = never")]
    [InlineData("cllm.join-patience = 0s")]
    [InlineData("cllm.channel-port = 70000")]
    [InlineData("cllm.shards = 0")]
    [InlineData("akka.cluster.seed-nodes = [trainer]")]
    [InlineData("akka.cluster.seed-nodes = trainer")]
    public void A_value_that_cannot_be_used_is_named_before_anything_is_begun(string text)
    {
        File.WriteAllText(_path, text);
        var failure = Assert.Throws<InputException>(() => Hocon.Load(_path, []));
        Assert.Contains(text.Split(' ')[0], failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_of_the_command_line_wins_over_files_and_variables()
    {
        File.WriteAllText(_path, "cllm.shards = 3, cllm.announce = 1s");
        var hocon = Hocon.Load(_path, [("CLLM__SHARDS", "4"), ("AKKA__LOGLEVEL", "INFO")], ["cllm.shards=5", "akka.loglevel = ERROR", "akka.cluster.seed-nodes=[\"a:1\", \"b:2\"]"]);
        Assert.Equal((5, "1s", "ERROR"), (Hocon.Shards(hocon), hocon.GetString("cllm.announce"), hocon.GetString("akka.loglevel")));
        Assert.Equal(["a:1", "b:2"], Hocon.SeedNodes(hocon).Select(node => $"{node}"));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("trainer:4053", "trainer:4053")]
    [InlineData("akka.tcp://cllm@a:1, [::1]:2", "a:1 [::1]:2")]
    [InlineData("[\"a:1\", \"b:2\"]", "a:1 b:2")]
    public void Seed_nodes_need_no_brackets(string text, string nodes)
    {
        Assert.Equal(nodes, Shown(Hocon.Load(null, [("AKKA__CLUSTER__SEED_NODES", text)])));
        Assert.Equal(nodes, Shown(Hocon.Load(null, [], [$"akka.cluster.seed-nodes={text}"])));

        static string Shown(Akka.Configuration.Config hocon) => string.Join(' ', Hocon.SeedNodes(hocon));
    }

    [Theory]
    [InlineData("cllm.shards", "--set is 'cllm.shards' and must be KEY=VALUE")]
    [InlineData("cllm. =3", "--set is 'cllm. =3' and must be KEY=VALUE")]
    [InlineData("akka=3", "--set is 'akka=3' and must be KEY=VALUE")]
    [InlineData("=3", "--set is '=3' and must be KEY=VALUE")]
    [InlineData("shards=3", "--set is 'shards=3' and must be KEY=VALUE with a key of the actor configuration")]
    [InlineData("cllm.shrads=3", "--set cllm.shrads is for a key cllm.shrads, and there is no such key")]
    [InlineData("cllm.shards=many", "cllm.shards in the actor configuration cannot be read")]
    public void A_key_of_the_command_line_that_cannot_be_used_is_named(string given, string beginning) =>
        Assert.StartsWith(beginning, Assert.Throws<InputException>(() => Hocon.Load(null, [], [given])).Message, StringComparison.Ordinal);

    [Fact]
    public void What_is_shown_of_a_file_that_is_no_text_is_short_and_without_control_characters()
    {
        File.WriteAllText(_path, "cllm { a { }, b = 1 } \e[31m" + new string('x', 10_000));
        string message = Assert.Throws<InputException>(() => Hocon.Load(_path, [])).Message;
        Assert.InRange(message.Length, 1, 300 + _path.Length);
        Assert.DoesNotContain(message, char.IsControl);
    }
}
