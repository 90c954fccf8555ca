namespace VlmKernels.Tasks;

/// <summary>Files that one process at a time works on.</summary>
internal static class ExclusiveFile
{
    /// <summary>Opens a file, or makes an empty one, for as long as nobody else has it open.</summary>
    /// <param name="path">The file.</param>
    /// <param name="access">What it is opened for.</param>
    /// <param name="work">What the other process is at work on, for people.</param>
    /// <exception cref="IOException">Another process has it open, or it cannot be written.</exception>
    public static FileStream Open(string path, FileAccess access, string work)
    {
        try
        {
            // Not FileShare.Read: of Unix's locks that is the shared one, which several processes may hold.
            return new FileStream(path, FileMode.OpenOrCreate, access, FileShare.None);
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new IOException($"another process is at work on {work}", e);
        }
    }
}
