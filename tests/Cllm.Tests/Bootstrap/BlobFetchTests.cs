using Cllm.Actors.Bootstrap;
using Cllm.Actors.Channel;
using Cllm.Model;
using Cllm.Model.Files;
using Cllm.Tests.Files;

namespace Cllm.Tests.Bootstrap;

public sealed class BlobFetchTests : IDisposable
{
    private const int PieceBytes = 1000;

    private static readonly ChannelAddress Address = new(7, "there", 1, ChannelCredential.Draw());

    private readonly TemporaryFolder _folder = new();
    private readonly LocalTransport _transport = new();
    private readonly byte[] _tokens = new byte[123_456];
    private readonly RunBlobs _blobs;

    public BlobFetchTests()
    {
        new Random(1).NextBytes(_tokens);
        File.WriteAllBytes(_folder.At("tokens.bin"), _tokens);
        _blobs = new RunBlobs("tokenizer"u8.ToArray(), _folder.At("tokens.bin"));
        _transport.Serve(Address, _blobs);
    }

    public void Dispose()
    {
        _blobs.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Token_ids_arrive_as_they_are()
    {
        var seen = new List<long>();
        await FetchAsync(_transport.Open(Address, 0), RunBlobs.Tokens, _tokens.Length, Digest.Bytes(_tokens), seen.Add);
        Assert.Equal(_tokens, File.ReadAllBytes(_folder.At("copy")));
        Assert.Equal(_tokens.Length, seen[^1]);
        Assert.Equal(124, seen.Count);
    }

    [Fact]
    public async Task A_tokenizer_arrives_as_it_is()
    {
        byte[] tokenizer = "tokenizer"u8.ToArray();
        await FetchAsync(_transport.Open(Address, 0), RunBlobs.Tokenizer, tokenizer.Length, Digest.Bytes(tokenizer), _ => { });
        Assert.Equal(tokenizer, File.ReadAllBytes(_folder.At("copy")));
    }

    [Fact]
    public async Task A_connection_that_breaks_again_and_again_costs_the_piece_under_way_and_nothing_else()
    {
        var lane = new BrokenLane(_transport.Open(Address, 0), everyOther: 3);
        await FetchAsync(lane, RunBlobs.Tokens, _tokens.Length, Digest.Bytes(_tokens), _ => { });
        Assert.Equal(_tokens, File.ReadAllBytes(_folder.At("copy")));
        Assert.InRange(lane.Fetches, 124 + 60, 124 + 62);
    }

    [Fact]
    public async Task A_node_that_is_gone_for_good_is_given_up()
    {
        _transport.Stop(Address);
        Assert.StartsWith("The run's data cannot be fetched: ", await RefusedAsync(_tokens.Length, Digest.Bytes(_tokens)));
    }

    [Fact]
    public async Task Other_bytes_than_the_runs_are_refused() =>
        Assert.Contains("SHA-256", await RefusedAsync(_tokens.Length, Digest.Bytes("others"u8)));

    [Fact]
    public async Task A_blob_that_is_shorter_than_it_was_said_is_refused() =>
        Assert.Contains("123456 bytes", await RefusedAsync(_tokens.Length + 1, Digest.Bytes(_tokens)));

    [Fact]
    public async Task What_is_no_blob_is_refused()
    {
        var failure = await Assert.ThrowsAsync<InputException>(() => FetchAsync(_transport.Open(Address, 0), 2, 10, "", _ => { }));
        Assert.Contains("There is no Blob 2 here", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fetch_can_be_given_up()
    {
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new BlobFetch(_transport.Open(Address, 0), PieceBytes).ToFileAsync(
            RunBlobs.Tokens, _tokens.Length, Digest.Bytes(_tokens), _folder.At("copy"), _ => stop.Cancel(), stop.Token));
    }

    private async Task<string> RefusedAsync(long bytes, string digest) => (await Assert.ThrowsAsync<InputException>(
        () => FetchAsync(_transport.Open(Address, 0), RunBlobs.Tokens, bytes, digest, _ => { }))).Message;

    private async Task FetchAsync(ITensorLane lane, int number, long bytes, string digest, Action<long> progress)
    {
        using (lane)
        {
            await new BlobFetch(lane, PieceBytes).ToFileAsync(number, bytes, digest, _folder.At("copy"), progress, CancellationToken.None);
        }
    }

    /// <summary>Loses every so-manieth fetch.</summary>
    private sealed class BrokenLane(ITensorLane lane, int everyOther) : ITensorLane
    {
        public int Fetches { get; private set; }

        public void Fetch(in TensorRequest request, ITensorDestination destination, FetchEnded ended)
        {
            if (++Fetches % everyOther == 0)
            {
                ended(request, FetchResult.Lost("The connection broke."));
                return;
            }

            lane.Fetch(request, destination, ended);
        }

        public void Cancel() => lane.Cancel();

        public void Dispose() => lane.Dispose();
    }
}
