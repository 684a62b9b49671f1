namespace Cllm.Model.Text;

/// <summary>
/// GPT-2's printable stand-ins for bytes: a token's bytes are written in files as these characters, so that no token contains a
/// space or a control character (Radford et al. 2019, bytes_to_unicode in the published encoder).
/// </summary>
internal static class ByteSymbols
{
    private static readonly char[] Symbols = new char[256];
    private static readonly short[] Values = new short[0x180];

    static ByteSymbols()
    {
        Array.Fill(Values, (short)-1);
        char next = (char)256;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            char symbol = printable ? (char)value : next++;
            Symbols[value] = symbol;
            Values[symbol] = (short)value;
        }
    }

    /// <summary>The 256 bytes in the order of their symbols, which is the order of ids 0 to 255 in GPT-2.</summary>
    public static byte[] InSymbolOrder() => [.. Enumerable.Range(0, 256).OrderBy(value => Symbols[value]).Select(value => (byte)value)];

    /// <summary>The symbols of the bytes.</summary>
    public static string Write(ReadOnlySpan<byte> bytes)
    {
        var text = new char[bytes.Length];
        for (int i = 0; i < text.Length; i++)
        {
            text[i] = Symbols[bytes[i]];
        }

        return new string(text);
    }

    /// <summary>The bytes that the symbols stand for, or null when a character is none of the 256 symbols.</summary>
    public static byte[]? Read(ReadOnlySpan<char> symbols)
    {
        var bytes = new byte[symbols.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            short value = symbols[i] < Values.Length ? Values[symbols[i]] : (short)-1;
            if (value < 0)
            {
                return null;
            }

            bytes[i] = (byte)value;
        }

        return bytes;
    }
}
