using System.Security.Cryptography;
using Cllm.Actors.Channel;
using Cllm.Model;

namespace Cllm.Actors.Bootstrap;

/// <summary>
/// Brings a blob of the run into a file: piece by piece over one lane, going on after a broken connection with the piece that was missed, and compared with
/// its digest at the end.
/// </summary>
/// <param name="lane">A lane to a node of the run.</param>
/// <param name="pieceBytes">Bytes asked for at a time, and held in memory.</param>
public sealed class BlobFetch(ITensorLane lane, int pieceBytes = 4 << 20)
{
    private readonly PatientLane _lane = new(lane);

    /// <summary>Fetches.</summary>
    /// <param name="number">The blob.</param>
    /// <param name="bytes">Its length.</param>
    /// <param name="digest">Its SHA-256, lowercase hexadecimal.</param>
    /// <param name="path">The file to write; whole when this returns, and of no use before.</param>
    /// <param name="progress">Told after each piece how many bytes are there.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="InputException">The run does not give it, cannot be reached, or what it gives has another digest.</exception>
    /// <exception cref="OperationCanceledException">It was told to give up.</exception>
    public async Task ToFileAsync(int number, long bytes, string digest, string path, Action<long> progress, CancellationToken stop)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        var piece = new byte[Math.Min(bytes, pieceBytes)];
        var destination = new BytesDestination(piece);
        for (long at = 0; at < bytes;)
        {
            var length = (int)Math.Min(bytes - at, piece.Length);
            var result = await _lane.FetchAsync(TensorRequest.Blob(number, at, length), destination, stop).ConfigureAwait(false);
            if (result.Outcome != FetchOutcome.Done)
            {
                throw new InputException($"The run's data cannot be fetched: {result.Sentence.TrimEnd('.')}; join through another of its nodes.");
            }

            hash.AppendData(piece, 0, length);
            await file.WriteAsync(piece.AsMemory(0, length), stop).ConfigureAwait(false);
            at += length;
            progress(at);
        }

        if (Convert.ToHexStringLower(hash.GetHashAndReset()) != digest)
        {
            throw new InputException($"What the run sent as blob {number} is not what it is made with (its SHA-256 differs); join through another of its nodes.");
        }
    }
}
