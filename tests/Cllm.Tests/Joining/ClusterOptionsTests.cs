using Cllm.Actors.Bootstrap;
using Cllm.Cli.Node;
using Cllm.Model;
using Cllm.Tests.Cli;

namespace Cllm.Tests.Joining;

public sealed class ClusterOptionsTests
{
    [Fact]
    public void Without_listen_nobody_joins() => Assert.Null(Said.Train("--steps", "5").Cluster);

    [Fact]
    public void With_listen_others_do() => Assert.Equal(
        new ClusterRequest(new NodeAddress("127.0.0.1", 4053), 3, 2, 0, null),
        Said.Train("--listen", "127.0.0.1:4053", "--wait-for-nodes", "3", "--min-nodes", "2").Cluster);

    [Fact]
    public void Standbys_are_waited_for()
    {
        ClusterRequest request = Said.Train("--listen", "trainer:4053", "--standbys", "2", "--tls", "tls").Cluster!;
        Assert.Equal((3, 3, "tls"), (request.WaitForNodes, request.Coordinators, request.TlsPath));
    }

    [Theory]
    [InlineData("--min-nodes is for a run that others can join; give --listen HOST:PORT as well.", "--min-nodes", "2")]
    [InlineData("--tls is for a run that others can join; give --listen HOST:PORT as well.", "--tls", "tls")]
    [InlineData("--listen is '127.0.0.1:0' and others have to know the port; give one above 0.", "--listen", "127.0.0.1:0")]
    [InlineData("--listen is 'here' and must be HOST:PORT, for example 127.0.0.1:4053 or [::1]:4053.", "--listen", "here")]
    [InlineData(
        "--standbys is 1, and of an even number of processes no majority remains when one is lost; give 0, 2, 4 or 6.",
        "--listen", "127.0.0.1:4053", "--standbys", "1")]
    public void What_makes_no_sense_is_refused(string sentence, params string[] args) => Assert.Equal(sentence, Said.By(["train", .. args]).IsRefused());

    [Theory]
    [InlineData("10.9.8.7:4053")]
    [InlineData("trainer.example.org:4053")]
    public void A_run_that_strangers_could_reach_is_refused_before_anything_is_written(string listen)
    {
        using var workshop = new Workshop();
        string folder = Path.Combine(workshop.Folder, "run");
        string sentence = Said.By("train", "--listen", listen, "--out", folder).IsRefused();
        Assert.StartsWith($"Without certificates anybody who reaches {listen} could join the run", sentence, StringComparison.Ordinal);
        Assert.Contains("`cllm certificate --out tls`", sentence, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder));
    }

    [Theory]
    [InlineData("--join is 'there' and must be HOST:PORT, for example 127.0.0.1:4053 or [::1]:4053.", "--join", "there")]
    [InlineData(
        "--standby and --out belong together: a process that can take the run over needs a folder for it, and no other does.",
        "--join", "127.0.0.1:4053", "--standby")]
    [InlineData(
        "--standby and --out belong together: a process that can take the run over needs a folder for it, and no other does.",
        "--join", "127.0.0.1:4053", "--out", "x")]
    [InlineData("--workers is '65' and must be a whole number from 1 to 64.", "--join", "127.0.0.1:4053", "--workers", "65")]
    [InlineData("--listen 0.0.0.0:4053 is no address", "--join", "127.0.0.1:4053", "--listen", "0.0.0.0:4053")]
    [InlineData("Without certificates anybody who reaches 10.9.8.7:1 could join", "--join", "127.0.0.1:4053", "--listen", "10.9.8.7:1")]
    [InlineData("There is no certificate file 'nowhere/node.pfx'", "--join", "127.0.0.1:4053", "--tls", "nowhere")]
    public void A_node_that_cannot_take_part_is_told_why(string beginning, params string[] args) =>
        Assert.StartsWith(beginning, Said.By(["node", .. args]).IsRefused(), StringComparison.Ordinal);

    [Fact]
    public void A_run_that_is_not_there_is_told_as_such()
    {
        string hocon = Path.Combine(Path.GetTempPath(), $"cllm-join-{Guid.NewGuid():n}.hocon");
        File.WriteAllText(hocon, "cllm.join-patience = 1s");
        try
        {
            Said said = Said.By("node", "--join", "127.0.0.1:1", "--hocon", hocon);
            Assert.Equal(2, said.Code);
            Assert.StartsWith("No run answers at 127.0.0.1:1 since 1 s;", said.IsOneSentence(), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(hocon);
        }
    }
}
