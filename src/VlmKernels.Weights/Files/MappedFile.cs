using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace VlmKernels.Weights;

/// <summary>A file mapped read-only in one piece. A file that shrinks while it is mapped ends the process, as with every mapping.</summary>
internal sealed partial class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private readonly SafeMemoryMappedViewHandle _memory;

    private MappedFile(string path, long length, MemoryMappedFile mapping)
    {
        Path = path;
        Length = length;
        _mapping = mapping;
        _view = mapping.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        _memory = _view.SafeMemoryMappedViewHandle;
    }

    public string Path { get; }

    public long Length { get; }

    /// <exception cref="WeightFileException">There is no such file, it cannot be opened, or it has fewer than <paramref name="least"/> bytes.</exception>
    public static MappedFile Open(string path, long least)
    {
        try
        {
            // Mapped memory outlives the handle it was mapped from.
            using SafeFileHandle handle = File.OpenHandle(path);
            long length = RandomAccess.GetLength(handle);
            if (length < least) throw new WeightFileException(path, null, $"at least {least} bytes", $"{length}");
            return new MappedFile(path, length, MemoryMappedFile.CreateFromFile(handle, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new WeightFileException(path, null, "a file that can be read", e.Message, e);
        }
    }

    /// <summary>
    /// Maps what <paramref name="write"/> writes to a file of its own, which is gone once it is unmapped: bytes that need no memory to stay at hand.
    /// </summary>
    /// <param name="path">Path for messages: of the file that the bytes come from.</param>
    /// <param name="length">How many bytes are written, at least one.</param>
    /// <param name="write">Writes them.</param>
    /// <exception cref="WeightFileException">There is no room for temporary files.</exception>
    public static MappedFile Temporary(string path, long length, Action<Stream> write)
    {
        try
        {
            string temporary = System.IO.Path.Combine(System.IO.Path.GetTempPath(), System.IO.Path.GetRandomFileName());
            using var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, FileOptions.DeleteOnClose);
            write(stream);
            stream.Flush();
            return new MappedFile(path, length, MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new WeightFileException(path, null, "room for its unpacked bytes in the folder of temporary files", e.Message, e);
        }
    }

    /// <summary>The mapped bytes themselves, for as long as the caller <see cref="Keep"/>s the file or knows that it is not disposed.</summary>
    public unsafe ReadOnlySpan<byte> Span(long offset, int length) => new((byte*)_memory.DangerousGetHandle() + offset, length);

    /// <summary>Keeps the file mapped until the result is disposed; a concurrent <see cref="Dispose"/> waits for it.</summary>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public Hold Keep() => new(_memory);

    /// <summary>Copies bytes out.</summary>
    public void Copy(long offset, Span<byte> into)
    {
        using Hold hold = Keep();
        Span(offset, into.Length).CopyTo(into);
    }

    /// <summary>
    /// Maps the pages of a range that is about to be read in one call instead of one fault each, five times faster when the file is cached.
    /// </summary>
    public void Populate(long offset, long length)
    {
        if (length >= WorthACall) Advise(offset, length, PopulateRead);
    }

    /// <summary>
    /// Drops the resident pages of a range. Rounded outwards: the mapping is read-only, so a neighbour whose page goes along just reads it again.
    /// </summary>
    public void Release(long offset, long length) => Advise(offset, length, DontNeed);

    public void Dispose()
    {
        _view.Dispose();
        _mapping.Dispose();
    }

    // Linux's asm-generic/mman-common.h; the first is there since 5.14.
    private const int PopulateRead = 22, DontNeed = 4;

    private const int WorthACall = 1 << 16;

    private void Advise(long offset, long length, int advice)
    {
        if (!OperatingSystem.IsLinux() || length == 0) return;
        using Hold hold = Keep();
        long first = offset / Environment.SystemPageSize * Environment.SystemPageSize;
        // Advice only: a kernel that declines it leaves everything readable, page by page.
        _ = Advise(_memory.DangerousGetHandle() + (nint)first, (nuint)(offset + length - first), advice);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);

    /// <summary>The promise of <see cref="Keep"/>.</summary>
    public readonly ref struct Hold
    {
        private readonly SafeMemoryMappedViewHandle _memory;

        internal Hold(SafeMemoryMappedViewHandle memory)
        {
            bool held = false;
            memory.DangerousAddRef(ref held);
            _memory = memory;
        }

        public void Dispose() => _memory.DangerousRelease();
    }
}
