using System.IO.MemoryMappedFiles;
using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>A matrix in a NumPy file, mapped: rows are read where they lie. A file that shrinks while it is mapped ends the process.</summary>
internal sealed class NpyMatrix : IDisposable
{
    private readonly NpyHeader _header;
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;

    private NpyMatrix(string path, NpyHeader header, MemoryMappedFile mapping)
    {
        (Path, _header, _mapping) = (path, header, mapping);
        _view = mapping.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
    }

    public string Path { get; }

    public int Rows => _header.Shape[0];

    public int Columns => _header.Shape[1];

    /// <exception cref="InvalidDataException">It is no matrix of float32 or float16 in C order, or of another length than its header says.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static NpyMatrix Open(string path)
    {
        using var file = File.OpenHandle(path);
        byte[] start = new byte[NpyHeader.Longest];
        var header = NpyHeader.Read(start.AsSpan(0, RandomAccess.Read(file, start, 0)), path);
        if (header.Shape is not [var rows, > 0 and var columns] || header.NumberBytes == sizeof(double)) throw new InvalidDataException($"{path}: expected a matrix of float16 or float32, found the shape ({string.Join(", ", header.Shape)}) of {header.NumberBytes} bytes a number");
        long length = RandomAccess.GetLength(file), expected = header.DataOffset + ((long)rows * columns * header.NumberBytes);
        if (length != expected) throw new InvalidDataException($"{path}: expected {expected} bytes for {rows} rows of {columns} numbers, found {length}");
        return new NpyMatrix(path, header, MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true));
    }

    /// <summary>The matrix as a tensor [rows, columns] of a backend, until its storage is disposed.</summary>
    public Tensor Map(IBackend backend) => backend.Map(new MapRequest(_view.SafeMemoryMappedViewHandle, _header.DataOffset, new Shape(Rows, Columns), _header.NumberBytes == sizeof(float) ? DType.F32 : DType.F16));

    public void Dispose()
    {
        _view.Dispose();
        _mapping.Dispose();
    }
}
