using System.IO.Compression;
using System.Text;

namespace VlmKernels.Inputs.Text;

/// <summary>One merge: two tokens with a blank between.</summary>
internal readonly record struct Merge
{
    private readonly int space;

    private Merge(string text, int space) => (Text, this.space) = (text, space);

    public string Text { get; }

    public ReadOnlySpan<char> Left => Text.AsSpan(0, space);

    public ReadOnlySpan<char> Right => Text.AsSpan(space + 1);

    /// <summary>Null when the text is not two tokens.</summary>
    public static Merge? Parse(string text)
    {
        int space = text.IndexOf(' ');
        return space > 0 && space < text.Length - 1 && text.IndexOf(' ', space + 1) < 0 ? new Merge(text, space) : null;
    }
}

/// <summary>Lists of merges: a version line, then two tokens a line; plain (merges.txt) or packed with gzip (bpe_simple_vocab_16e6.txt.gz).</summary>
internal static class MergesFile
{
    // The real file unpacks to 3.2 MB; a bomb must not fill the memory.
    private const int MaxCharacters = 64 << 20;

    public static List<Merge> Read(string path, int maxMerges)
    {
        var merges = new List<Merge>();
        string[] lines = ReadText(path, maxMerges).Split('\n');
        // The first line names the version. What follows the last merge (a line end, or in OpenAI's file merges that CLIP leaves out) does not count.
        for (int i = 1; i < lines.Length && merges.Count < maxMerges; i++)
        {
            string line = lines[i].TrimEnd();
            if (line.Length > 0) merges.Add(Merge.Parse(line) ?? throw new ConfigFormatException(path, $"line {i + 1}: expected two tokens, found \"{line}\""));
        }
        return merges;
    }

    private static string ReadText(string path, int maxMerges)
    {
        using FileStream file = File.OpenRead(path);
        bool packed = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
        file.Position = 0;
        using Stream stream = packed ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var text = new StringBuilder();
        var buffer = new char[65536];
        try
        {
            long lines = 0;
            for (int count; lines <= maxMerges && (count = reader.Read(buffer)) > 0;)
            {
                text.Append(buffer, 0, count);
                lines += buffer.AsSpan(0, count).Count('\n');
                if (text.Length > MaxCharacters) throw new ConfigFormatException(path, $"more than {MaxCharacters} characters of merges");
            }
        }
        catch (InvalidDataException e)
        {
            throw new ConfigFormatException($"{path}: damaged gzip data ({e.Message})", e);
        }
        return text.ToString();
    }
}
