using Cllm.Actors.Channel;

namespace Cllm.Tests.Channel;

/// <summary>Waits for the end of a fetch.</summary>
internal sealed class Ending
{
    private readonly SemaphoreSlim _ended = new(0);
    private FetchResult _result;

    public Ending() => Ended = (in TensorRequest request, in FetchResult result) =>
    {
        Request = request;
        _result = result;
        Times++;
        _ended.Release();
    };

    public FetchEnded Ended { get; }

    public TensorRequest Request { get; private set; }

    public int Times { get; private set; }

    public bool IsThere => _ended.CurrentCount > 0;

    public FetchResult Wait()
    {
        Assert.True(_ended.Wait(TimeSpan.FromSeconds(60)), "the fetch did not end within a minute");
        return _result;
    }
}

/// <summary>Fetches and waits.</summary>
internal static class Fetching
{
    public static FetchResult Fetch(this ITensorLane lane, in TensorRequest request, ITensorDestination destination)
    {
        var ending = new Ending();
        lane.Fetch(request, destination, ending.Ended);
        return ending.Wait();
    }
}
