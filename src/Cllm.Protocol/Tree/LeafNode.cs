namespace Cllm.Protocol.Tree;

/// <summary>
/// An aligned subtree of the reduction tree over a run's leaves: leaves Index * 2^Level up to, not including, (Index + 1) * 2^Level, as
/// far as there are leaves.
/// </summary>
/// <param name="Level">0 for a single leaf.</param>
/// <param name="Index">Position among the nodes of its level.</param>
public readonly record struct LeafNode(int Level, int Index)
{
    /// <summary>As in <c>1:3</c>: level 1, index 3.</summary>
    public override string ToString() => $"{Level}:{Index}";
}
