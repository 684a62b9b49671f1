namespace Cllm.Actors.Inspection;

/// <summary>A table before it is drawn: a terminal draws it in colour, pbm and files as columns of text.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Columns">Names of the columns.</param>
/// <param name="Rows">Cells, as many a row as there are columns.</param>
/// <param name="Numbers">Columns that are aligned to the right.</param>
public sealed record TextTable(string Title, string[] Columns, string[][] Rows, int[] Numbers)
{
    /// <summary>The table in plain text: a line for the names, a line a row.</summary>
    public IEnumerable<string> Lines()
    {
        int[] widths = [.. Columns.Select((name, column) => Rows.Select(row => row[column].Length).Append(name.Length).Max())];
        return Rows.Prepend(Columns).Select(row => string.Join("  ", row.Select((cell, column) => Pad(cell, widths[column], column))).TrimEnd());
    }

    private string Pad(string cell, int width, int column) => Numbers.Contains(column) ? cell.PadLeft(width) : cell.PadRight(width);
}
