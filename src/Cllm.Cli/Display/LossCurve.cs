namespace Cllm.Cli.Display;

/// <summary>Draws a curve with block characters, eight heights to a character.</summary>
public static class LossCurve
{
    private const string Blocks = " ▁▂▃▄▅▆▇█";

    /// <summary>Draws <paramref name="points"/> from left to right.</summary>
    /// <param name="points">The values; fewer than two give no lines.</param>
    /// <param name="columnsMax">Columns of the curve, its scale not counted.</param>
    /// <param name="rows">Lines of the curve.</param>
    /// <returns>The lines, top first, with the largest value beside the top and the smallest beside the bottom.</returns>
    public static IReadOnlyList<string> Draw(ReadOnlySpan<double> points, int columnsMax, int rows)
    {
        if (points.Length < 2 || columnsMax < 1 || rows < 1)
        {
            return [];
        }

        double[] columns = Resample(points, Math.Min(columnsMax, points.Length));
        double low = columns.Min();
        double high = columns.Max();
        double range = Math.Max(high - low, 1e-9);
        var lines = new string[rows];
        for (int row = 0; row < rows; row++)
        {
            int below = (rows - 1 - row) * 8;
            string scale = row == 0 ? $"{high:F2}" : row == rows - 1 ? $"{low:F2}" : "";
            var line = new char[columns.Length];
            for (int i = 0; i < line.Length; i++)
            {
                int height = 1 + (int)Math.Round((columns[i] - low) / range * ((rows * 8) - 1));
                line[i] = Blocks[Math.Clamp(height - below, 0, 8)];
            }

            lines[row] = $"{scale,6} {new string(line)}";
        }

        return lines;
    }

    private static double[] Resample(ReadOnlySpan<double> points, int columns)
    {
        var means = new double[columns];
        for (int i = 0; i < columns; i++)
        {
            int start = (int)((long)points.Length * i / columns);
            int end = Math.Max(start + 1, (int)((long)points.Length * (i + 1) / columns));
            double sum = 0;
            foreach (double point in points[start..end])
            {
                sum += point;
            }

            means[i] = sum / (end - start);
        }

        return means;
    }
}
