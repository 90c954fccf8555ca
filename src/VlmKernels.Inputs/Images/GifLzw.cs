namespace VlmKernels.Inputs;

/// <summary>GIF's LZW: a table of strings that grows with the data. A string is stored as its last byte and the string before it.</summary>
internal static class GifLzw
{
    private const int MaxCodes = 4096, MaxBits = 12;

    /// <summary>Unpacks exactly <paramref name="count"/> indices; what follows them is not read.</summary>
    /// <param name="data">The code size byte and the sub-blocks.</param>
    /// <param name="count">Indices of the frame.</param>
    /// <param name="name">What error messages call the file.</param>
    public static byte[] Decode(ReadOnlySpan<byte> data, int count, string name)
    {
        if (data.IsEmpty || data[0] > 8) throw new ImageFormatException(name, data.IsEmpty ? "truncated GIF" : $"a GIF of {data[0]} bits, expected at most 8");
        var bits = new GifBits(data[1..]);
        int clear = 1 << data[0], end = clear + 1, size = data[0] + 1, next = clear + 2, last = -1, done = 0;
        byte firstOfLast = 0;
        var output = new byte[count];
        byte[] tails = new byte[MaxCodes], reversed = new byte[MaxCodes + 1];
        ushort[] heads = new ushort[MaxCodes];
        while (done < count)
        {
            int code = bits.Take(size);
            if (code < 0 || code == end) throw new ImageFormatException(name, $"truncated GIF: {done} of {count} pixels");
            if (code == clear)
            {
                (size, next, last) = (data[0] + 1, clear + 2, -1);
                continue;
            }
            if (last < 0 ? code >= clear : code > next) throw new ImageFormatException(name, $"damaged GIF data: code {code}, the table has {next}");
            int length = 0, at = code;
            // The code that is made by this very step is the last string and its first byte again.
            if (code == next && last >= 0) (reversed[length++], at) = (firstOfLast, last);
            for (; at >= clear; at = heads[at]) reversed[length++] = tails[at];
            reversed[length++] = firstOfLast = (byte)at;
            if (last >= 0 && next < MaxCodes)
            {
                (tails[next], heads[next]) = (firstOfLast, (ushort)last);
                next++;
                if (next == 1 << size && size < MaxBits) size++;
            }
            last = code;
            while (length > 0 && done < count) output[done++] = reversed[--length];
        }
        return output;
    }

    /// <summary>Codes of growing width, lowest bit first, from sub-blocks that each start with their length.</summary>
    private ref struct GifBits(ReadOnlySpan<byte> data)
    {
        private readonly ReadOnlySpan<byte> data = data;
        private int position, left, buffer, available;

        /// <summary>The next code, or -1 after the end.</summary>
        public int Take(int size)
        {
            while (available < size)
            {
                if (left == 0 && (position >= data.Length || (left = data[position++]) == 0)) return -1;
                if (position >= data.Length) return -1;
                buffer |= data[position++] << available;
                available += 8;
                left--;
            }
            int code = buffer & ((1 << size) - 1);
            buffer >>= size;
            available -= size;
            return code;
        }
    }
}
