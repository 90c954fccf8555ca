using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace VlmKernels.Weights;

/// <summary>The bytes of one pickle inside a mapped file, read forwards. Everything that a length promises is checked against what is there.</summary>
/// <param name="file">The file.</param>
/// <param name="item">What the pickle is called in messages.</param>
/// <param name="start">Its first byte.</param>
/// <param name="length">Bytes up to the end of whatever holds the pickle.</param>
internal sealed class PickleBytes(MappedFile file, string item, long start, long length)
{
    // Of a number in digits; longer ones are no weight's and would take long to read.
    private const int MostDigits = 4300;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Bytes that may be read.</summary>
    public int Length { get; } = (int)Math.Min(length, int.MaxValue);

    /// <summary>Bytes read so far.</summary>
    public int Position { get; private set; }

    public byte Byte() => Take(1)[0];

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>Checks that so many bytes follow.</summary>
    public void Expect(ulong count)
    {
        if (count > (ulong)(Length - Position)) throw Fault($"at most {Length - Position} more bytes", $"a length of {count}");
    }

    /// <summary>The next bytes.</summary>
    public ReadOnlySpan<byte> Take(ulong count)
    {
        Expect(count);
        ReadOnlySpan<byte> bytes = file.Span(start + Position, (int)count);
        Position += (int)count;
        return bytes;
    }

    public string Text(ulong count)
    {
        try
        {
            return Utf8.GetString(Take(count));
        }
        catch (DecoderFallbackException e)
        {
            throw new WeightFileException(file.Path, item, "text in UTF-8", $"bytes that are not before byte {Position}", e);
        }
    }

    /// <summary>A string of Python 2: bytes that need not be text.</summary>
    public string AnyText(ulong count)
    {
        ReadOnlySpan<byte> bytes = Take(count);
        return System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : Encoding.Latin1.GetString(bytes);
    }

    /// <summary>Text up to the next line feed, which is taken, too.</summary>
    public string Line()
    {
        int end = file.Span(start + Position, Length - Position).IndexOf((byte)'\n');
        if (end < 0) throw Fault("a line feed", "none");
        string line = Text((ulong)end);
        Take(1);
        return line;
    }

    /// <summary>A whole number in digits; null when it is longer than anything that counts elements.</summary>
    public Int128? Digits()
    {
        string line = Line().TrimEnd('L');
        if (Int128.TryParse(line, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out Int128 value)) return value;
        ReadOnlySpan<char> digits = line.AsSpan().TrimStart('-');
        return digits.Length is > 0 and <= MostDigits && !digits.ContainsAnyExceptInRange('0', '9') ? null : throw Fault("a whole number", WeightFileException.Quote(line));
    }

    /// <summary>A whole number of so many bytes, two's complement; null as in <see cref="Digits"/>.</summary>
    public Int128? Integer(ulong count)
    {
        ReadOnlySpan<byte> bytes = Take(count);
        if (count > 16) return null;
        Int128 value = !bytes.IsEmpty && (sbyte)bytes[^1] < 0 ? -1 : 0;
        for (int i = bytes.Length - 1; i >= 0; i--) value = (value << 8) | bytes[i];
        return value;
    }

    /// <summary>An error at the place that was read last.</summary>
    public WeightFileException Fault(string expected, string found) => new(file.Path, item, expected, $"{found} at byte {Position}");

    /// <summary>An error at another place of this pickle.</summary>
    public WeightFileException FaultAt(int offset, string expected, string found) => new(file.Path, item, expected, $"{found} at byte {offset}");
}
