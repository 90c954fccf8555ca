using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace VlmKernels.Tasks;

/// <summary>A matrix as the only tensor of a safetensors file; its JSON is padded with blanks, as the format allows.</summary>
internal sealed class SafetensorsRows(string path, int rows, int width, bool half) : RowFile(path, rows, width, half, HeaderBytes)
{
    /// <summary>Name of the tensor.</summary>
    public const string Tensor = "embeddings";

    private const int HeaderBytes = 128, TextAt = 8;

    protected override byte[] Header(int rows)
    {
        byte[] header = new byte[HeaderBytes];
        header.AsSpan().Fill((byte)' ');
        BinaryPrimitives.WriteInt64LittleEndian(header, HeaderBytes - TextAt);
        string type = IsHalf ? "F16" : "F32";
        long bytes = (long)rows * Width * (IsHalf ? 2 : 4);
        Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{{\"{Tensor}\":{{\"dtype\":\"{type}\",\"shape\":[{rows},{Width}],\"data_offsets\":[0,{bytes}]}}}}"), header.AsSpan(TextAt));
        return header;
    }
}
