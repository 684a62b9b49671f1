using Cllm.Model.Files;

namespace Cllm.Simulation.Faults;

/// <summary>A file store that does not flush: what <see cref="PlantedFault.RenamedBeforeFlush"/> is made of.</summary>
internal sealed class UnflushedFileStore(IFileStore files) : IFileStore
{
    public void CreateFolder(string path) => files.CreateFolder(path);

    public IFileWriter Create(string path) => new Writer(files.Create(path));

    public IFileReader OpenRead(string path) => files.OpenRead(path);

    public IReadOnlyList<string> List(string folder) => files.List(folder);

    public void Rename(string from, string to) => files.Rename(from, to);

    public void Delete(string path) => files.Delete(path);

    public void SyncFolder(string path) => files.SyncFolder(path);

    private sealed class Writer(IFileWriter file) : IFileWriter
    {
        public void Write(ReadOnlySpan<byte> bytes) => file.Write(bytes);

        public void FlushToDisk() { }

        public void Dispose() => file.Dispose();
    }
}
