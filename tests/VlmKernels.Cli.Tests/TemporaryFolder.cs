using VlmKernels.Testing;

namespace VlmKernels.Cli.Tests;

/// <summary>A folder that is gone after the test, empty or with copies of a folder's files.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    /// <param name="from">A folder, relative to the repository's, whose files are copied.</param>
    public TemporaryFolder(string? from = null)
    {
        Path = Directory.CreateTempSubdirectory("vlm-test-").FullName;
        if (from is null) return;
        foreach (string file in Directory.EnumerateFiles(System.IO.Path.Combine(Fixtures.Repository, from))) Write(System.IO.Path.GetFileName(file), File.ReadAllBytes(file));
    }

    public string Path { get; }

    public string Write(string name, string content)
    {
        File.WriteAllText(this[name], content);
        return this[name];
    }

    public string Write(string name, byte[] content)
    {
        File.WriteAllBytes(this[name], content);
        return this[name];
    }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
