using Parquet;
using Parquet.Schema;

namespace VlmKernels.Tasks;

/// <summary>
/// What the rows of embeddings stand for: a Parquet file of one column of texts, <see cref="ImagePath"/> or <see cref="Caption"/> as clip-retrieval names
/// them. Row k belongs to row k of the embeddings.
/// </summary>
public static class MetadataFile
{
    /// <summary>Column of the pictures' paths.</summary>
    public const string ImagePath = "image_path";

    /// <summary>Column of texts.</summary>
    public const string Caption = "caption";

    private const int RowsOfGroup = 1 << 16;

    /// <summary>Writes a file, group of rows by group of rows.</summary>
    /// <param name="path">The file to write or replace.</param>
    /// <param name="column">Name of the column.</param>
    /// <param name="values">Its values.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, string column, IEnumerable<string> values) => WriteAsync(path, column, values).GetAwaiter().GetResult();

    /// <summary>Reads the columns of texts of a file, this program's or another's.</summary>
    /// <returns>By the column's name one value for each row; "" where the file has none.</returns>
    /// <exception cref="InvalidDataException">It is no Parquet file, or a damaged one.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IReadOnlyDictionary<string, string[]> Read(string path)
    {
        using var file = File.OpenRead(path);
        try
        {
            return ReadAsync(file).GetAwaiter().GetResult();
        }
        catch (Exception e)
        {
            // The package has no exception of its own for damage: whatever it stumbles over gets out.
            throw new InvalidDataException($"{path}: expected a Parquet file, found one that cannot be read ({e.Message})", e);
        }
    }

    private static async Task WriteAsync(string path, string column, IEnumerable<string> values)
    {
        var field = new DataField<string>(column);
        await using var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite);
        await using (var writer = await ParquetWriter.CreateAsync(new ParquetSchema(field), file))
        {
            foreach (string[] part in values.Chunk(RowsOfGroup))
            {
                using var group = writer.CreateRowGroup();
                await group.WriteAsync(field, part);
            }
        }
        file.Flush(flushToDisk: true);
    }

    private static async Task<Dictionary<string, string[]>> ReadAsync(FileStream file)
    {
        await using var reader = await ParquetReader.CreateAsync(file);
        var columns = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var field in reader.Schema.DataFields.Where(f => f is { IsArray: false, MaxRepetitionLevel: 0 } && (f.ClrType == typeof(string) || f.ClrType == typeof(ReadOnlyMemory<char>))))
        {
            var all = new List<string>();
            for (int g = 0; g < reader.RowGroupCount; g++)
            {
                using var group = reader.OpenRowGroupReader(g);
                var part = new string?[checked((int)group.RowCount)];
                await group.ReadAsync(field, part.AsMemory());
                all.AddRange(part.Select(v => v ?? ""));
            }
            columns.Add(field.Name, [.. all]);
        }
        return columns;
    }
}
