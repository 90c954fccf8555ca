namespace VlmKernels.Inputs;

/// <summary>A Huffman table of JPEG: codes of one length are consecutive numbers.</summary>
internal sealed class JpegCodes
{
    private const int MaxLength = 16;

    private readonly int[] firstCode = new int[MaxLength + 1], firstSymbol = new int[MaxLength + 1], counts = new int[MaxLength + 1];
    private readonly byte[] symbols;

    /// <param name="lengths">How many codes have 1 to 16 bits.</param>
    /// <param name="symbols">The symbols in the order of their codes.</param>
    public JpegCodes(ReadOnlySpan<byte> lengths, ReadOnlySpan<byte> symbols)
    {
        this.symbols = symbols.ToArray();
        for (int length = 1, code = 0, symbol = 0; length <= MaxLength; length++, code <<= 1)
        {
            (firstCode[length], firstSymbol[length], counts[length]) = (code, symbol, lengths[length - 1]);
            code += counts[length];
            symbol += counts[length];
        }
    }

    /// <summary>Copies one code from reader to writer and gives its symbol, or -1 when the bits are no code or end.</summary>
    public int Copy(ref JpegBitReader reader, JpegBitWriter writer)
    {
        for (int length = 1, code = 0; length <= MaxLength; length++)
        {
            int bit = reader.Take();
            if (bit < 0) return -1;
            code = code << 1 | bit;
            int index = code - firstCode[length];
            if (index < 0 || index >= counts[length]) continue;
            writer.Put(code, length);
            return symbols[firstSymbol[length] + index];
        }
        return -1;
    }
}
