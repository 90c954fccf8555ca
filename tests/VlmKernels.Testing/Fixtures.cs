namespace VlmKernels.Testing;

/// <summary>Finds the golden files that tests read: those of the repository, then those of the roots in VLMKERNELS_FIXTURES.</summary>
public static class Fixtures
{
    /// <summary>The repository's top folder.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>Folders laid out like <c>tests/fixtures</c>: the repository's own first, then every root of VLMKERNELS_FIXTURES (colon-separated).</summary>
    public static IReadOnlyList<string> Roots { get; } =
    [
        Path.Combine(Repository, "tests", "fixtures"),
        .. (Environment.GetEnvironmentVariable("VLMKERNELS_FIXTURES") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
    ];

    /// <summary>Every existing path <paramref name="relative"/> under a root.</summary>
    public static IEnumerable<string> Find(string relative) => Roots.Select(r => Path.Combine(r, relative)).Where(Path.Exists);

    /// <summary>Every case folder (one that holds golden.json) of one family, over all roots.</summary>
    public static IEnumerable<string> Cases(string family) => Find(family)
        .SelectMany(Directory.EnumerateDirectories).Where(d => File.Exists(Path.Combine(d, "golden.json"))).Order(StringComparer.Ordinal);

    /// <summary>
    /// Resolves a path that a table gives as <c>data/…</c>: beside the root that holds the table, then in <c>tests/data</c>.
    /// Null when neither has it.
    /// </summary>
    public static string? Data(string root, string path)
    {
        string beside = Path.Combine(root, "..", path);
        if (Path.Exists(beside)) return Path.GetFullPath(beside);
        string own = Path.Combine(Repository, "tests", path);
        return Path.Exists(own) ? own : null;
    }

    private static string FindRepository()
    {
        for (string? folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "VlmKernels.sln"))) return folder;
        }
        throw new DirectoryNotFoundException($"no folder above {AppContext.BaseDirectory} holds VlmKernels.sln");
    }
}
