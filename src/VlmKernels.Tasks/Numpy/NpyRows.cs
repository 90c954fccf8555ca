using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace VlmKernels.Tasks;

/// <summary>
/// A matrix in NumPy's format 1.0 (numpy.lib.format): magic, version, length, a dictionary padded with blanks, then the rows. The header is as
/// long as NumPy's own.
/// </summary>
internal sealed class NpyRows(string path, int rows, int width, bool half) : RowFile(path, rows, width, half, HeaderBytes)
{
    private const int HeaderBytes = 128, LengthAt = 8, TextAt = 10;

    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0];

    protected override byte[] Header(int rows)
    {
        byte[] header = new byte[HeaderBytes];
        header.AsSpan().Fill((byte)' ');
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(LengthAt), HeaderBytes - TextAt);
        string type = IsHalf ? "<f2" : "<f4";
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({rows}, {Width}), }}"), header.AsSpan(TextAt));
        header[^1] = (byte)'\n';
        return header;
    }
}
