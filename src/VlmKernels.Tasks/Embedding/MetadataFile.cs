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

    /// <summary>Number of rows of a file, this program's or another's; the rows themselves are not read.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or lacks the column.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static long Count(string path, string column) => Open(path, column, (reader, _) => Task.FromResult(Groups(reader).Sum(g => g.RowCount)));

    /// <summary>Reads a column of texts; "" where the file has none.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or lacks the column.</exception>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    public static string[] Read(string path, string column) => Open(path, column, async (reader, field) =>
    {
        var all = new List<string>();
        foreach (var group in Groups(reader))
        {
            var part = new string?[checked((int)group.RowCount)];
            await group.ReadAsync(field, part.AsMemory());
            all.AddRange(part.Select(v => v ?? ""));
        }
        return all.ToArray();
    });

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

    private static IEnumerable<ParquetRowGroupReader> Groups(ParquetReader reader)
    {
        for (int g = 0; g < reader.RowGroupCount; g++)
        {
            using var group = reader.OpenRowGroupReader(g);
            yield return group;
        }
    }

    private static T Open<T>(string path, string column, Func<ParquetReader, DataField, Task<T>> read)
    {
        using var file = File.OpenRead(path);
        try
        {
            return OpenAsync(path, file, column, read).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not InvalidDataException || !e.Message.StartsWith(path, StringComparison.Ordinal))
        {
            // The package has no exception of its own for damage: whatever it stumbles over gets out, also as IOException without a name.
            throw new InvalidDataException($"{path}: expected a Parquet file, found one that cannot be read ({e.Message})", e);
        }
    }

    private static async Task<T> OpenAsync<T>(string path, FileStream file, string column, Func<ParquetReader, DataField, Task<T>> read)
    {
        await using var reader = await ParquetReader.CreateAsync(file);
        var field = reader.Schema.DataFields.FirstOrDefault(f => f.Name == column && f is { IsArray: false, MaxRepetitionLevel: 0 } && (f.ClrType == typeof(string) || f.ClrType == typeof(ReadOnlyMemory<char>)));
        return await read(reader, field ?? throw new InvalidDataException($"{path}: expected a column of texts named {column}, found {string.Join(", ", reader.Schema.DataFields.Select(f => f.Name))}"));
    }
}
