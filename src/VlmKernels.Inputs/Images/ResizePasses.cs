using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace VlmKernels.Inputs;

/// <summary>The two passes over 8 bit pixels. Every output is sum(pixel * weight) + 2^21, shifted right by 22 and clamped: the vector and the plain path give the same bits.</summary>
internal static class ResizePasses
{
    private const int Half = 1 << (ResizeWeights.PrecisionBits - 1);

    /// <summary>[rows, input width, channels] to [rows, weights' outputs, channels].</summary>
    public static void Horizontal(ReadOnlySpan<byte> source, int width, int channels, int rows, ResizeWeights weights, Span<byte> target)
    {
        int columns = weights.Starts.Length;
        for (int y = 0; y < rows; y++)
        {
            // Four bytes are loaded for three channels, so the very last row must not take the vector path.
            bool vector = Vector128.IsHardwareAccelerated && (channels == 4 || (channels == 3 && y + 1 < rows));
            ReadOnlySpan<byte> row = vector ? source[(y * width * channels)..] : source.Slice(y * width * channels, width * channels);
            Span<byte> output = target.Slice(y * columns * channels, columns * channels);
            if (vector) HorizontalRow(row, channels, weights, output);
            else PlainRow(row, channels, weights, output);
        }
    }

    private static void PlainRow(ReadOnlySpan<byte> row, int channels, ResizeWeights weights, Span<byte> output)
    {
        for (int x = 0, o = 0; x < weights.Starts.Length; x++)
        {
            ReadOnlySpan<int> taps = weights.Fixed.AsSpan(x * weights.Taps, weights.Counts[x]);
            int start = weights.Starts[x] * channels;
            for (int c = 0; c < channels; c++, o++)
            {
                int sum = Half;
                for (int t = 0; t < taps.Length; t++) sum += row[start + t * channels + c] * taps[t];
                output[o] = Clamp(sum);
            }
        }
    }

    private static void HorizontalRow(ReadOnlySpan<byte> row, int channels, ResizeWeights weights, Span<byte> output)
    {
        for (int x = 0, o = 0; x < weights.Starts.Length; x++, o += channels)
        {
            ReadOnlySpan<int> taps = weights.Fixed.AsSpan(x * weights.Taps, weights.Counts[x]);
            ReadOnlySpan<byte> pixels = row.Slice(weights.Starts[x] * channels, (taps.Length - 1) * channels + 4);
            Vector128<int> sum = Vector128.Create(Half);
            for (int t = 0, p = 0; t < taps.Length; t++, p += channels) sum += Widen(pixels[p..]) * taps[t];
            Vector128<int> clamped = ClampVector(sum);
            output[o] = (byte)clamped.GetElement(0);
            output[o + 1] = (byte)clamped.GetElement(1);
            output[o + 2] = (byte)clamped.GetElement(2);
            if (channels == 4) output[o + 3] = (byte)clamped.GetElement(3);
        }
    }

    private static Vector128<int> Widen(ReadOnlySpan<byte> four)
    {
        Vector128<byte> bytes = Vector128.CreateScalar(MemoryMarshal.Read<uint>(four)).AsByte();
        return Vector128.WidenLower(Vector128.WidenLower(bytes)).AsInt32();
    }

    /// <summary>[source rows, row bytes] to [weights' outputs, row bytes]; <paramref name="firstRow"/> is the source row that <paramref name="source"/> starts with.</summary>
    public static void Vertical(ReadOnlySpan<byte> source, int rowBytes, int firstRow, ResizeWeights weights, Span<byte> target)
    {
        for (int y = 0; y < weights.Starts.Length; y++)
        {
            ReadOnlySpan<int> taps = weights.Fixed.AsSpan(y * weights.Taps, weights.Counts[y]);
            ReadOnlySpan<byte> rows = source.Slice((weights.Starts[y] - firstRow) * rowBytes, taps.Length * rowBytes);
            Span<byte> output = target.Slice(y * rowBytes, rowBytes);
            int x = 0;
            if (Vector256.IsHardwareAccelerated) x = VerticalVectors256(rows, rowBytes, taps, output);
            else if (Vector128.IsHardwareAccelerated) x = VerticalVectors128(rows, rowBytes, taps, output);
            for (; x < rowBytes; x++)
            {
                int sum = Half;
                for (int t = 0; t < taps.Length; t++) sum += rows[t * rowBytes + x] * taps[t];
                output[x] = Clamp(sum);
            }
        }
    }

    // Sixteen columns at a time; returns how many columns are done.
    private static int VerticalVectors256(ReadOnlySpan<byte> rows, int rowBytes, ReadOnlySpan<int> taps, Span<byte> output)
    {
        int x = 0;
        for (; x + 16 <= rowBytes; x += 16)
        {
            Vector256<int> low = Vector256.Create(Half), high = low;
            for (int t = 0, p = x; t < taps.Length; t++, p += rowBytes)
            {
                Vector256<ushort> wide = Vector256.WidenLower(Vector128.Create(rows.Slice(p, 16)).ToVector256Unsafe());
                Vector256<int> weight = Vector256.Create(taps[t]);
                low += Vector256.WidenLower(wide).AsInt32() * weight;
                high += Vector256.WidenUpper(wide).AsInt32() * weight;
            }
            Vector256<short> packed = Vector256.Narrow(ClampVector(low), ClampVector(high));
            Vector128.Narrow(packed.GetLower().AsUInt16(), packed.GetUpper().AsUInt16()).CopyTo(output[x..]);
        }
        return x;
    }

    // Eight columns at a time, for machines and binaries without 256 bit vectors.
    private static int VerticalVectors128(ReadOnlySpan<byte> rows, int rowBytes, ReadOnlySpan<int> taps, Span<byte> output)
    {
        int x = 0;
        for (; x + 8 <= rowBytes; x += 8)
        {
            Vector128<int> low = Vector128.Create(Half), high = low;
            for (int t = 0, p = x; t < taps.Length; t++, p += rowBytes)
            {
                Vector128<ushort> wide = Vector128.WidenLower(Vector64.Create(rows.Slice(p, 8)).ToVector128Unsafe());
                Vector128<int> weight = Vector128.Create(taps[t]);
                low += Vector128.WidenLower(wide).AsInt32() * weight;
                high += Vector128.WidenUpper(wide).AsInt32() * weight;
            }
            Vector128<ushort> packed = Vector128.Narrow(ClampVector(low), ClampVector(high)).AsUInt16();
            Vector128.Narrow(packed, packed).GetLower().CopyTo(output[x..]);
        }
        return x;
    }

    private static Vector128<int> ClampVector(Vector128<int> sum) =>
        Vector128.Min(Vector128.Max(sum >> ResizeWeights.PrecisionBits, Vector128<int>.Zero), Vector128.Create(255));

    private static Vector256<int> ClampVector(Vector256<int> sum) =>
        Vector256.Min(Vector256.Max(sum >> ResizeWeights.PrecisionBits, Vector256<int>.Zero), Vector256.Create(255));

    private static byte Clamp(int sum) => (byte)Math.Clamp(sum >> ResizeWeights.PrecisionBits, 0, 255);
}
