using Cllm.Actors.Bootstrap;
using Cllm.Actors.Channel;
using Cllm.Cli.Display;
using Cllm.Cli.Train;
using Cllm.Model;
using Cllm.Model.Feed;
using Cllm.Model.Run;
using Cllm.Model.Text;

namespace Cllm.Cli.Node;

/// <summary>A run's tokenizer and token ids in a temporary folder of this process: sent by the run, or made from the same data here.</summary>
public sealed class ReceivedData : IDisposable
{
    private readonly ProcessFolder _owned;
    private readonly string _folder;

    private ReceivedData(RunInvitation invitation)
    {
        Configuration = invitation.Configuration;
        ProcessFolder.RemoveAbandoned();
        _owned = ProcessFolder.Create();
        _folder = _owned.FolderPath;
    }

    /// <summary>What the run is.</summary>
    public RunConfiguration Configuration { get; }

    /// <summary>The folder; gone when this is disposed.</summary>
    public string FolderPath => _folder;

    /// <summary>Brings the data here.</summary>
    /// <param name="invitation">What the run is, and who has its data.</param>
    /// <param name="lane">A lane to that one.</param>
    /// <param name="dataPath">The same data on this machine; null to have the ids sent.</param>
    /// <param name="terminal">Told how far it is.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="InputException">The run cannot be reached, or the data here are not the run's.</exception>
    public static async Task<ReceivedData> ReceiveAsync(
        RunInvitation invitation, ITensorLane lane, string? dataPath, Terminal terminal, CancellationToken stop)
    {
        var data = new ReceivedData(invitation);
        try
        {
            var fetch = new BlobFetch(lane);
            if (invitation.TokenizerBytes > 0)
            {
                await fetch.ToFileAsync(
                    RunBlobs.Tokenizer, invitation.TokenizerBytes, data.Configuration.TokenizerDigest, TokenizedData.TokenizerPath(data._folder),
                    _ => { }, stop).ConfigureAwait(false);
            }

            if (dataPath is not null)
            {
                data.Make(dataPath);
                return data;
            }

            var progress = new Megabytes(invitation.TokenBytes, terminal);
            await fetch.ToFileAsync(
                RunBlobs.Tokens, invitation.TokenBytes, data.Configuration.DataDigest, TokenizedData.TokensPath(data._folder), progress.Reached, stop)
                .ConfigureAwait(false);
            return data;
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    /// <summary>Opens the ids.</summary>
    public TokenFile OpenTokens() => TokenFile.Open(TokenizedData.TokensPath(_folder), Configuration.Shape.Vocabulary);

    /// <summary>Copies everything into a run's folder.</summary>
    public void CopyTo(string run)
    {
        foreach (string name in TokenizedData.FileNames.Where(name => File.Exists(Path.Combine(_folder, name))))
        {
            File.Copy(Path.Combine(_folder, name), Path.Combine(run, name), overwrite: true);
        }
    }

    /// <summary>
    /// Takes the ids' file its name, where a file without one can be read by those who have it open: so nothing large is left behind, however this process ends.
    /// </summary>
    public void UnlinkTokens()
    {
        if (!OperatingSystem.IsWindows())
        {
            File.Delete(TokenizedData.TokensPath(_folder));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _owned.Dispose();

    private void Make(string dataPath)
    {
        bool ids = Configuration.Tokenizer == TrainPlan.TokenIds;
        if (TokenizedData.IsTokenIds(dataPath) != ids)
        {
            throw new InputException(
                $"--data {dataPath} is {(ids ? "text" : "token ids")} and the run was started with {(ids ? "token ids" : "text")}; leave --data out to have them sent.");
        }

        TokenizedData made = TokenizedData.Read(
            dataPath, _ => TokenizerFile.Load(TokenizedData.TokenizerPath(_folder)), Configuration.Shape.Vocabulary);
        if (made.Digest != Configuration.DataDigest)
        {
            throw new InputException($"--data {dataPath} holds other data than the run was started with; leave it out to have the run's sent.");
        }

        made.Store(_folder);
    }

    /// <summary>Says how much has come, a few times.</summary>
    private sealed class Megabytes(long bytes, Terminal terminal)
    {
        private const double PerMegabyte = 1e6;
        private const int Lines = 10;
        private const long SilentBelow = 50_000_000;

        private long _said;

        public void Reached(long at)
        {
            if (bytes >= SilentBelow && at * Lines / bytes > _said)
            {
                _said = at * Lines / bytes;
                terminal.Say($"Received {at / PerMegabyte:N0} of {bytes / PerMegabyte:N0} MB of token ids.");
            }
        }
    }
}
