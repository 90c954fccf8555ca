using VlmKernels.Testing;

namespace VlmKernels.Models.Tests;

/// <summary>A temporary folder, empty or with the files of a golden case to be changed.</summary>
internal sealed class CaseCopy : IDisposable
{
    public CaseCopy(string? name = null, string family = "clip")
    {
        Path = Directory.CreateTempSubdirectory("vlm-case-").FullName;
        if (name is null) return;
        foreach (string file in Directory.EnumerateFiles(System.IO.Path.Combine(Fixtures.Repository, "tests", "fixtures", family, name)))
        {
            File.WriteAllBytes(System.IO.Path.Combine(Path, System.IO.Path.GetFileName(file)), File.ReadAllBytes(file));
        }
    }

    public string Path { get; }

    /// <summary>Replaces a text in a file, which must hold it.</summary>
    public void Replace(string file, string old, string text)
    {
        string path = System.IO.Path.Combine(Path, file), content = File.ReadAllText(path);
        if (!content.Contains(old, StringComparison.Ordinal)) throw new InvalidOperationException($"{file} does not hold {old}");
        File.WriteAllText(path, content.Replace(old, text, StringComparison.Ordinal));
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
