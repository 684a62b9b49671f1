namespace Cllm.Model.Text;

/// <summary>One merge rule: two neighbouring tokens become the token of their bytes in a row. Rules apply in their order.</summary>
/// <param name="Left">Id of the left token.</param>
/// <param name="Right">Id of the right token.</param>
internal readonly record struct BpeMerge(int Left, int Right);
