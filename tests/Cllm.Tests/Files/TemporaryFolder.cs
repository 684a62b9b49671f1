namespace Cllm.Tests.Files;

/// <summary>An empty folder of its own for one test, gone after it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public TemporaryFolder() => FullPath = Directory.CreateTempSubdirectory("cllm-test-").FullName;

    public string FullPath { get; }

    public string At(string name) => Path.Combine(FullPath, name);

    public void Dispose() => Directory.Delete(FullPath, recursive: true);
}
