namespace Cllm.Actors;

/// <summary>What a command line lays over the configuration of the actor system.</summary>
/// <param name="Path">A file whose keys win over the program's own; none for those alone.</param>
/// <param name="Keys">Keys that win over all else, each as in <c>cllm.patience=30s</c>.</param>
public sealed record HoconLayers(string? Path, IReadOnlyList<string> Keys);
