namespace Cllm.Model.Compute;

/// <summary>Finds what is infinite or not a number.</summary>
public static class NonFinite
{
    /// <summary>Index of the first such number; -1 when all are finite.</summary>
    public static int IndexIn(ReadOnlySpan<float> numbers)
    {
        for (int i = 0; i < numbers.Length; i++)
        {
            if (!float.IsFinite(numbers[i]))
            {
                return i;
            }
        }

        return -1;
    }
}
