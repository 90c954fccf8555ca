namespace VlmKernels.Inputs.Text;

/// <summary>Small tables that ship inside the assembly as text; lines that start with # are comments.</summary>
internal static class EmbeddedText
{
    public static IEnumerable<string[]> Rows(string name)
    {
        using Stream stream = typeof(EmbeddedText).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"the assembly lacks {name}");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length > 0 && line[0] != '#') yield return line.Split(' ');
        }
    }
}
