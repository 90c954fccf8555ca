using System.Runtime.InteropServices;

namespace VlmKernels.Tasks;

/// <summary>
/// Rows of floats that are appended to a file behind a header of constant length. The header is written last, so a file that was left unfinished
/// goes on from any number of its rows.
/// </summary>
internal abstract class RowFile : IDisposable
{
    private readonly FileStream _file;
    private readonly int _headerBytes;
    private Half[] _halves = [];

    /// <summary>Opens a file to go on behind its first rows; what follows them is cut off.</summary>
    /// <param name="path">The file; made when it is not there.</param>
    /// <param name="rows">Rows that it must hold already.</param>
    /// <param name="width">Floats of a row.</param>
    /// <param name="half">Whether they are stored with 16 bits.</param>
    /// <param name="headerBytes">Length of the header.</param>
    /// <exception cref="InvalidDataException">The file is shorter.</exception>
    protected RowFile(string path, int rows, int width, bool half, int headerBytes)
    {
        (Width, IsHalf, Rows, _headerBytes) = (width, half, rows, headerBytes);
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        long expected = headerBytes + (rows * RowBytes), found = _file.Length;
        if (rows > 0 && found < expected)
        {
            _file.Dispose();
            throw new InvalidDataException($"{path}: expected at least {expected} bytes of an unfinished run, found {found}; --overwrite starts anew");
        }
        _file.SetLength(expected);
        _file.Position = expected;
    }

    /// <summary>Floats of a row.</summary>
    public int Width { get; }

    /// <summary>Whether they are stored with 16 bits.</summary>
    public bool IsHalf { get; }

    /// <summary>Rows so far.</summary>
    public int Rows { get; private set; }

    private long RowBytes => (long)Width * (IsHalf ? 2 : 4);

    public static RowFile Open(RowFormat format, string path, int rows, int width, bool half)
        => format == RowFormat.Npy ? new NpyRows(path, rows, width, half) : new SafetensorsRows(path, rows, width, half);

    /// <summary>Name of a format's files after the dot.</summary>
    public static string Extension(RowFormat format) => format == RowFormat.Npy ? "npy" : "safetensors";

    /// <summary>Appends whole rows.</summary>
    public void Append(ReadOnlySpan<float> values)
    {
        if (IsHalf)
        {
            if (_halves.Length < values.Length) _halves = new Half[values.Length];
            for (int i = 0; i < values.Length; i++) _halves[i] = (Half)values[i];
            _file.Write(MemoryMarshal.AsBytes(_halves.AsSpan(0, values.Length)));
        }
        else
        {
            _file.Write(MemoryMarshal.AsBytes(values));
        }
        Rows += values.Length / Width;
    }

    /// <summary>Returns when everything so far is on the disk.</summary>
    public void Flush() => _file.Flush(flushToDisk: true);

    /// <summary>Writes the header, and everything to the disk.</summary>
    public void Finish()
    {
        byte[] header = Header(Rows);
        if (header.Length != _headerBytes) throw new InvalidOperationException($"a header of {header.Length} bytes where {_headerBytes} were kept free");
        _file.Position = 0;
        _file.Write(header);
        Flush();
    }

    public void Dispose() => _file.Dispose();

    protected abstract byte[] Header(int rows);
}
