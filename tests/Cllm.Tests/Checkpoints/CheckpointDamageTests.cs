using Cllm.Model.Files;
using FsCheck;
using FsCheck.Xunit;

namespace Cllm.Tests.Checkpoints;

/// <summary>Whatever happens to the newest checkpoint, it is either exactly what was written or is not accepted.</summary>
public sealed class CheckpointDamageTests
{
    private static readonly string[] Files = ["model.safetensors", "optimizer.safetensors", "state.json"];

    private readonly MemoryFileStore _store = new();
    private readonly SampleRun _run;

    public CheckpointDamageTests()
    {
        _run = new SampleRun(_store);
        _run.Write(10);
        _run.Write(20);
    }

    [Fact]
    public void A_smallest_file_cut_at_any_byte_is_not_accepted()
    {
        string smallest = Files.Select(At).MinBy(f => _store.Bytes(f).Length)!;
        byte[] whole = _store.Bytes(smallest);
        for (int length = 0; length < whole.Length; length++)
        {
            _store.Overwrite(smallest, whole[..length]);
            Assert.Equal(10, _run.ReadNewest());
        }

        _store.Overwrite(smallest, whole);
        Assert.Equal(20, _run.ReadNewest());
    }

    [Fact]
    public void A_state_with_any_one_bit_flipped_is_not_accepted()
    {
        // Alone, so that nothing older is read thousands of times.
        _store.Delete(_run.Checkpoints.PathOf(10));
        string state = At("state.json");
        byte[] whole = _store.Bytes(state);
        for (int bit = 0; bit < whole.Length * 8; bit++)
        {
            _store.Overwrite(state, Flipped(whole, bit));
            Assert.Null(_run.ReadNewest());
        }
    }

    [Property(MaxTest = 200)]
    public void A_file_cut_anywhere_is_not_accepted(NonNegativeInt file, NonNegativeInt place)
    {
        string path = At(Files[file.Get % Files.Length]);
        byte[] whole = _store.Bytes(path);
        _store.Overwrite(path, whole[..(Spread(place.Get) % whole.Length)]);
        Assert.Equal(10, _run.ReadNewest());
        _store.Overwrite(path, whole);
    }

    [Property(MaxTest = 500)]
    public void A_bit_flipped_anywhere_is_not_accepted(NonNegativeInt file, NonNegativeInt place)
    {
        string path = At(Files[file.Get % Files.Length]);
        byte[] whole = _store.Bytes(path);
        _store.Overwrite(path, Flipped(whole, Spread(place.Get) % (whole.Length * 8)));
        Assert.Equal(10, _run.ReadNewest());
        _store.Overwrite(path, whole);
    }

    [Property(MaxTest = 100)]
    public void Bytes_added_to_a_file_are_not_accepted(NonNegativeInt file, NonEmptyArray<byte> more)
    {
        string path = At(Files[file.Get % Files.Length]);
        byte[] whole = _store.Bytes(path);
        _store.Overwrite(path, [.. whole, .. more.Get]);
        Assert.Equal(10, _run.ReadNewest());
        _store.Overwrite(path, whole);
    }

    [Fact]
    public void A_disk_that_fills_up_at_any_byte_leaves_the_earlier_checkpoint_and_no_temporary()
    {
        long before = _store.UsedBytes;
        string[] names = [.. _store.List("/run/checkpoints")];
        _run.Write(30);
        long needed = _store.UsedBytes - before + Files.Sum(f => _store.Bytes(_run.Checkpoints.PathOf(20) + "/" + f).Length);
        for (long room = 0; room < needed; room += 61)
        {
            var store = new MemoryFileStore();
            var run = new SampleRun(store);
            run.Write(10);
            run.Write(20);
            store.CapacityBytes = before + room;
            var e = Assert.Throws<StorageException>(() => run.Write(30));
            Assert.Contains("disk is full", e.Message);
            Assert.Equal(names, store.List("/run/checkpoints"));
            Assert.Equal(before, store.UsedBytes);
            Assert.Equal(20, run.ReadNewest());
            store.CapacityBytes = long.MaxValue;
            run.Write(30);
            Assert.Equal(30, run.ReadNewest());
        }
    }

    private string At(string name) => Path.Combine(_run.Checkpoints.PathOf(20), name);

    private static byte[] Flipped(byte[] whole, int bit)
    {
        byte[] content = [.. whole];
        content[bit / 8] ^= (byte)(1 << (bit % 8));
        return content;
    }

    // FsCheck prefers small numbers; damage should fall anywhere in a file.
    private static int Spread(int place) => (int)((uint)place * 2654435761u >> 1);
}
