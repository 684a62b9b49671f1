using Cllm.Actors.Channel;
using Cllm.Actors.Cluster;
using Cllm.Numerics.Memory;

namespace Cllm.Tests.Channel;

/// <summary>What a node has to do with the others in the largest cluster: a lane for each shard that it fetches from others.</summary>
public sealed class ManyLanesTests
{
    private const int Floats = 1000;

    [Fact]
    public void As_many_lanes_as_there_can_be_shards_wait_for_the_same_step_and_all_get_it()
    {
        using var store = new SampleStore(Floats);
        using var channel = new SocketChannel(store, new() { StrangersMax = 2 * ClusterSettings.ShardsMax, StrangersPerAddressMax = 2 * ClusterSettings.ShardsMax });
        var lanes = new List<Lane>();
        try
        {
            for (var shard = 0; shard < ClusterSettings.ShardsMax; shard++)
            {
                lanes.Add(new(channel.Transport.Open(channel.Address, Lanes.Slice(shard))));
            }

            Assert.True(SpinWait.SpinUntil(() => channel.Server.Lanes == ClusterSettings.ShardsMax, TimeSpan.FromSeconds(60)));
            store.Update();
            Assert.All(lanes, lane => Assert.Equal(FetchResult.Done, lane.Ending.Wait()));
        }
        finally
        {
            lanes.ForEach(lane => lane.Dispose());
        }
    }

    [Fact]
    public void No_two_purposes_of_any_two_shards_share_a_lane()
    {
        var numbers = Enumerable.Range(0, ClusterSettings.ShardsMax)
            .SelectMany(shard => new[] { Lanes.Slice(shard), Lanes.Gradient(shard) })
            .Append(ITensorTransport.LanesMax - 1)
            .ToArray();
        Assert.Equal(numbers.Length, numbers.Distinct().Count());
        Assert.All(numbers, number => Assert.InRange(number, 0, ITensorTransport.LanesMax - 1));
    }

    private sealed class Lane : IDisposable
    {
        private readonly ITensorLane _lane;
        private readonly AlignedBuffer _buffer = new(Floats);

        public Lane(ITensorLane lane)
        {
            _lane = lane;
            lane.Fetch(TensorRequest.Weights(new(5), new(4), new(0), 0, Floats, 60_000), new BufferDestination(0, _buffer), Ending.Ended);
        }

        public Ending Ending { get; } = new();

        public void Dispose()
        {
            _lane.Dispose();
            _buffer.Dispose();
        }
    }
}
