using System.IO.Enumeration;

namespace VlmKernels.Tasks;

/// <summary>Lists what to embed: pictures or texts named one by one, by folder, by pattern or by a list.</summary>
public static class EmbedInputs
{
    /// <summary>What stands for a list on standard input.</summary>
    public const string List = "-";

    private static readonly string[] PictureEndings = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"], TextEndings = [".txt"];

    /// <summary>
    /// Paths of pictures: files; folders with all that is in them and looks like a picture by its name; patterns, in which * and ? stand for characters of a
    /// name and ** for any folders; <see cref="List"/>. Files of a folder or pattern come in the order of their names.
    /// </summary>
    /// <param name="sources">Files, folders, patterns, <see cref="List"/>.</param>
    /// <param name="list">One path per line; blank lines do not count.</param>
    /// <exception cref="FileNotFoundException">A source stands for nothing.</exception>
    public static IReadOnlyList<string> Pictures(IEnumerable<string> sources, TextReader list) => [.. sources.SelectMany(s => s == List ? Listed(list) : Files(s, PictureEndings))];

    /// <summary>Texts: the lines of files, found as pictures are, whose names in folders end in .txt; blank lines do not count.</summary>
    /// <param name="sources">Files, folders, patterns, <see cref="List"/>.</param>
    /// <param name="list">One text per line.</param>
    /// <exception cref="FileNotFoundException">A source stands for nothing.</exception>
    public static IReadOnlyList<string> Texts(IEnumerable<string> sources, TextReader list) => [.. sources.SelectMany(s => s == List ? Lines(list) : Files(s, TextEndings).SelectMany(LinesOf))];

    private static string[] Listed(TextReader list)
    {
        string[] paths = [.. Lines(list)];
        return paths.Length > 0 ? paths : throw new FileNotFoundException($"{List}: expected a list of files on standard input, one a line, found none");
    }

    private static IEnumerable<string> LinesOf(string file)
    {
        using var reader = new StreamReader(file);
        foreach (string line in Lines(reader)) yield return line;
    }

    private static IEnumerable<string> Lines(TextReader reader)
    {
        // Lists from Windows often begin with a byte order mark, which standard input does not take away.
        string? line = reader.ReadLine()?.TrimStart('\uFEFF');
        for (; line is not null; line = reader.ReadLine())
        {
            if (!string.IsNullOrWhiteSpace(line)) yield return line;
        }
    }

    private static string[] Files(string source, string[] endings)
    {
        if (File.Exists(source)) return [source];
        string[] found = Directory.Exists(source) ? [.. Walk(source).Where(f => endings.Contains(Path.GetExtension(f).ToLowerInvariant()))]
            : source.IndexOfAny(['*', '?']) >= 0 ? Matching(source)
            : throw new FileNotFoundException($"{source}: expected a file, a folder or a pattern, found nothing");
        if (found.Length == 0) throw new FileNotFoundException($"{source}: expected files{(Directory.Exists(source) ? $" that end in {string.Join(' ', endings)}" : "")}, found none");
        Array.Sort(found, StringComparer.Ordinal);
        return found;
    }

    private static string[] Matching(string pattern)
    {
        string[] parts = pattern.Split('/', StringSplitOptions.RemoveEmptyEntries);
        int plain = Array.FindIndex(parts, p => p.IndexOfAny(['*', '?']) >= 0);
        string folder = string.Concat(pattern.StartsWith('/') ? "/" : "", string.Join('/', parts[..plain]));
        string root = folder.Length == 0 ? "." : folder;
        if (!Directory.Exists(root)) return [];
        int skipped = root.EndsWith('/') ? root.Length : root.Length + 1;
        return [.. Walk(root, parts.Contains("**") ? int.MaxValue : parts.Length - plain - 1).Where(f => Matches(parts.AsSpan(plain), f[skipped..].Split('/'))).Select(f => folder.Length == 0 ? f[skipped..] : f)];
    }

    private static bool Matches(ReadOnlySpan<string> pattern, ReadOnlySpan<string> path)
    {
        if (pattern.IsEmpty) return path.IsEmpty;
        if (pattern[0] == "**") return Matches(pattern[1..], path) || (!path.IsEmpty && Matches(pattern, path[1..]));
        return !path.IsEmpty && FileSystemName.MatchesSimpleExpression(pattern[0], path[0], ignoreCase: false) && Matches(pattern[1..], path[1..]);
    }

    /// <summary>All files under a folder, so many folders deep; links to folders are not followed, as they may lead back up.</summary>
    private static FileSystemEnumerable<string> Walk(string folder, int depth = int.MaxValue) => new(folder, static (ref entry) => entry.ToSpecifiedFullPath(), new EnumerationOptions { RecurseSubdirectories = depth > 0, MaxRecursionDepth = depth, IgnoreInaccessible = false, AttributesToSkip = 0 })
    {
        ShouldIncludePredicate = static (ref entry) => !entry.IsDirectory,
        ShouldRecursePredicate = static (ref entry) => (entry.Attributes & FileAttributes.ReparsePoint) == 0,
    };
}
