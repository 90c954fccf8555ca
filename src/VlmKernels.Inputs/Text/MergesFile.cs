using System.IO.Compression;
using System.Text;

namespace VlmKernels.Inputs.Text;

/// <summary>Lists of merges: a version line, then two tokens a line; plain (merges.txt) or packed with gzip (bpe_simple_vocab_16e6.txt.gz).</summary>
internal static class MergesFile
{
    // The real file unpacks to 3.2 MB; a bomb must not fill the memory.
    private const int MaxCharacters = 64 << 20;

    public static List<(string Left, string Right)> Read(string path, int maxMerges)
    {
        var merges = new List<(string, string)>();
        string[] lines = ReadText(path).Split('\n');
        // The first line names the version. What follows the last merge (a line end, or in OpenAI's file merges that CLIP leaves out) does not count.
        for (int i = 1; i < lines.Length && merges.Count < maxMerges; i++)
        {
            string[] parts = lines[i].TrimEnd('\r').Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length == 0) continue;
            if (parts.Length != 2) throw new ConfigFormatException(path, $"line {i + 1}: expected two tokens, found {parts.Length}");
            merges.Add((parts[0], parts[1]));
        }
        return merges;
    }

    private static string ReadText(string path)
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
            for (int count; (count = reader.Read(buffer)) > 0;)
            {
                text.Append(buffer, 0, count);
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
