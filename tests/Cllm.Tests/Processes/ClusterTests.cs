using System.Net;
using System.Net.Sockets;
using Cllm.Actors.Inspection;

namespace Cllm.Tests.Processes;

/// <summary>Two processes train one run: the same bits as one. tests/cluster-run does the like at length, tests/cluster-netns over a poor network.</summary>
[Collection("Processes")]
public sealed class ClusterTests : IDisposable
{
    /// <summary>The usual port may be taken by another run on this machine, which is told and nothing else.</summary>
    private const string AnyPort = "127.0.0.1:0";

    private readonly TrainingFolder _folder = new();
    private readonly string _address = Child.FreeAddress();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Two_processes_make_the_bits_of_one()
    {
        string[] shape = [.. TrainingFolder.Odd, "--steps", "30", "--workers", "1"];
        Child.Run(_folder.Begin("one", shape)).Well();
        using var trainer = Child.Start(_folder.Begin("two", [.. shape, "--listen", _address, "--wait-for-nodes", "2", "--metrics-listen", AnyPort]));
        using var node = Child.Start("node", "--join", _address, "--workers", "1", "--recompute");
        trainer.Wait().Well();
        Assert.Contains("The run is done after 30 steps.", node.Wait().Well().Output, StringComparison.Ordinal);
        Assert.Equal(_folder.Digest("one"), _folder.Digest("two"));
    }

    /// <summary>The configuration is the trainer's as well, who begins a cluster all the same.</summary>
    [Fact]
    public void A_node_finds_the_run_by_the_seed_nodes_of_its_configuration()
    {
        string hocon = _folder.At("seeds.hocon");
        File.WriteAllText(hocon, $"akka.cluster.seed-nodes = [\"{Child.FreeAddress()}\", \"akka.tcp://cllm@{_address}\"]");
        using var trainer = Child.Start(_folder.Begin(
            "two", [.. TrainingFolder.Odd, "--steps", "30", "--workers", "1", "--hocon", hocon, "--listen", _address, "--wait-for-nodes", "2", "--metrics-listen", AnyPort]));
        using var node = Child.Start("node", "--hocon", hocon, "--workers", "1");
        trainer.Wait().Well();
        Assert.Contains($"Joined the run at {_address}", node.Wait().Well().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_that_is_killed_is_done_without_and_leaves_nothing_large()
    {
        string temporary = Directory.CreateDirectory(_folder.At("temporary")).FullName;
        string[] shape = [.. TrainingFolder.Odd, "--steps", "400", "--workers", "1"];
        Child.Run(_folder.Begin("one", shape)).Well();
        using var trainer = Child.Start(_folder.Begin("two", [.. shape, "--listen", _address, "--wait-for-nodes", "2", "--metrics-listen", AnyPort]));
        using var node = Child.Start([("TMPDIR", temporary)], "node", "--join", _address, "--workers", "1");
        trainer.WaitFor("step 20 ");
        node.Send(Child.Kill);
        trainer.Wait().Well();
        Assert.NotEmpty(Directory.GetFiles(temporary, "cllm-node-*.lock"));
        Assert.Empty(Directory.GetFiles(temporary, "tokens.bin", SearchOption.AllDirectories));
        Assert.Equal(_folder.Digest("one"), _folder.Digest("two"));
    }

    /// <summary>As a service does that is started again whenever it ends.</summary>
    [Fact]
    public async Task A_node_that_starts_again_at_the_address_at_which_it_was_killed_takes_part_again()
    {
        (string metrics, string there) = (Child.FreeAddress(), Child.FreeAddress());
        string[] shape = [.. TrainingFolder.Odd, "--steps", "1000", "--workers", "1"];
        Child.Run(_folder.Begin("one", shape)).Well();
        using var trainer = Child.Start(_folder.Begin("two", [.. shape, "--listen", _address, "--wait-for-nodes", "2", "--metrics-listen", metrics]));
        using var client = new HttpClient { BaseAddress = new Uri($"http://{metrics}") };
        using (var node = Child.Start("node", "--listen", there, "--join", _address, "--workers", "1"))
        {
            trainer.WaitFor("step 50 ");
            await OrderAsync("/pause");
            node.Send(Child.Kill);
        }

        using var again = Child.Start("node", "--listen", there, "--join", _address, "--workers", "1");
        trainer.WaitFor("node ");
        await OrderAsync("/resume");
        trainer.Wait().Well();
        Assert.Contains("The run is done after 1000 steps.", again.Wait().Well().Output, StringComparison.Ordinal);
        Assert.Equal(_folder.Digest("one"), _folder.Digest("two"));

        async Task OrderAsync(string order)
        {
            using HttpResponseMessage answer = await client.PostAsync(order, null);
            Assert.True(answer.IsSuccessStatusCode);
        }
    }

    /// <summary>As many as would take every file descriptor of the process several times over, if it kept them.</summary>
    [Fact]
    public void A_crowd_of_half_open_connections_does_not_stop_a_run()
    {
        const int Crowd = 3_000;
        string[] shape = [.. TrainingFolder.Odd, "--steps", "400", "--workers", "1"];
        Child.Run(_folder.Begin("one", shape)).Well();
        using var trainer = Child.Shell(
            "ulimit -n 700; exec dotnet \"$@\"",
            [Child.Program, .. _folder.Begin("two", [.. shape, "--listen", _address, "--wait-for-nodes", "2", "--metrics-listen", AnyPort])]);
        using var node = Child.Start("node", "--join", _address, "--workers", "1");
        trainer.WaitFor("step 1 ");
        var crowd = new List<TcpClient>();
        try
        {
            IPEndPoint door = IPEndPoint.Parse(_address);
            for (var i = 0; i < Crowd; i++)
            {
                var stranger = new TcpClient();
                crowd.Add(stranger);
                stranger.Connect(door);
            }

            Assert.Contains("was turned away", trainer.Wait().Well().Output, StringComparison.Ordinal);
        }
        finally
        {
            crowd.ForEach(stranger => stranger.Dispose());
        }

        node.Wait().Well();
        Assert.Equal(_folder.Digest("one"), _folder.Digest("two"));
    }

    [Fact]
    public async Task A_node_that_is_drained_says_so_in_a_sentence_and_ends_well()
    {
        string metrics = Child.FreeAddress();
        using var trainer = Child.Start(
            _folder.Begin("two", [.. TrainingFolder.Odd, "--steps", "2000", "--workers", "1", "--listen", _address, "--wait-for-nodes", "2", "--metrics-listen", metrics]));
        using var node = Child.Start("node", "--join", _address, "--workers", "2");
        trainer.WaitFor("step 100 ");
        using var client = new HttpClient { BaseAddress = new Uri($"http://{metrics}") };
        RunView run = RunViewJson.Read(await client.GetStringAsync("/status"))!;
        int joined = run.Nodes.Single(other => other.Workers == 2).Node;

        using HttpResponseMessage answer = await client.PostAsync($"/drain?node={joined}", null);

        Assert.True(answer.IsSuccessStatusCode);
        string said = node.Wait().Well().Output;
        Assert.EndsWith(
            $"Drained: the run at {_address} goes on without this process, which may be started again at any time.", said.TrimEnd(), StringComparison.Ordinal);
    }
}
