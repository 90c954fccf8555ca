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

    /// <summary>The mapped bytes themselves, for as long as the caller knows that the file is not disposed.</summary>
    public unsafe ReadOnlySpan<byte> Span(long offset, int length) => new((byte*)_memory.DangerousGetHandle() + offset, length);

    /// <summary>Copies bytes out; a concurrent <see cref="Dispose"/> waits for it.</summary>
    public void Copy(long offset, Span<byte> into)
    {
        bool held = false;
        try
        {
            _memory.DangerousAddRef(ref held);
            Span(offset, into.Length).CopyTo(into);
        }
        finally
        {
            if (held) _memory.DangerousRelease();
        }
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
        bool held = false;
        try
        {
            _memory.DangerousAddRef(ref held);
            long first = offset / Environment.SystemPageSize * Environment.SystemPageSize;
            // Advice only: a kernel that declines it leaves everything readable, page by page.
            _ = Advise(_memory.DangerousGetHandle() + (nint)first, (nuint)(offset + length - first), advice);
        }
        finally
        {
            if (held) _memory.DangerousRelease();
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
