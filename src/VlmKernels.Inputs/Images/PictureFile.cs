namespace VlmKernels.Inputs;

/// <summary>Reads picture files whole, up to a bound.</summary>
internal static class PictureFile
{
    /// <exception cref="ImageFormatException">The file is larger than allowed.</exception>
    public static byte[] Read(string path, long maxBytes)
    {
        using FileStream stream = File.OpenRead(path);
        if (stream.CanSeek && stream.Length > maxBytes) throw TooLarge(path, maxBytes);
        // Pipes and devices announce no length, so the bound holds while reading, too.
        using var file = new MemoryStream(stream.CanSeek ? (int)Math.Min(stream.Length, Array.MaxLength) : 0);
        byte[] part = new byte[81920];
        int count;
        while ((count = stream.Read(part)) > 0)
        {
            if (file.Length + count > maxBytes) throw TooLarge(path, maxBytes);
            file.Write(part, 0, count);
        }
        return file.Length == file.Capacity ? file.GetBuffer() : file.ToArray();
    }

    private static ImageFormatException TooLarge(string path, long maxBytes) => new(path, $"a file of more than {maxBytes} bytes, the most that is read");
}
