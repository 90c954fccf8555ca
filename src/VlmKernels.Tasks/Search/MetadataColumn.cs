using Parquet;
using Parquet.Schema;

namespace VlmKernels.Tasks;

/// <summary>The paths of pictures in a Parquet file of metadata; row k belongs to row k of the embeddings.</summary>
internal static class MetadataColumn
{
    private const string Name = "image_path";

    /// <summary>Number of rows; the rows themselves are not read.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or lacks the column.</exception>
    public static long Count(string path) => Open(path, (reader, _) => Task.FromResult(Groups(reader).Sum(g => g.RowCount)));

    /// <summary>All values; "" where there is none.</summary>
    /// <exception cref="InvalidDataException">The file is damaged or lacks the column.</exception>
    public static string[] Read(string path) => Open(path, async (reader, column) =>
    {
        var all = new List<string>();
        foreach (var group in Groups(reader))
        {
            var part = new string?[checked((int)group.RowCount)];
            await group.ReadAsync(column, part.AsMemory());
            all.AddRange(part.Select(v => v ?? ""));
        }
        return all.ToArray();
    });

    private static IEnumerable<ParquetRowGroupReader> Groups(ParquetReader reader)
    {
        for (int g = 0; g < reader.RowGroupCount; g++)
        {
            using var group = reader.OpenRowGroupReader(g);
            yield return group;
        }
    }

    private static T Open<T>(string path, Func<ParquetReader, DataField, Task<T>> read)
    {
        using var file = File.OpenRead(path);
        try
        {
            return OpenAsync(path, file, read).GetAwaiter().GetResult();
        }
        catch (Exception e) when (e is not InvalidDataException)
        {
            // The package has no exception of its own for damage: whatever it stumbles over gets out, also as IOException without a name.
            throw new InvalidDataException($"{path}: expected a Parquet file, found one that cannot be read ({e.Message})", e);
        }
    }

    private static async Task<T> OpenAsync<T>(string path, FileStream file, Func<ParquetReader, DataField, Task<T>> read)
    {
        await using var reader = await ParquetReader.CreateAsync(file);
        var column = reader.Schema.DataFields.FirstOrDefault(f => f is { Name: Name, IsArray: false, MaxRepetitionLevel: 0 } && (f.ClrType == typeof(string) || f.ClrType == typeof(ReadOnlyMemory<char>)));
        return await read(reader, column ?? throw new InvalidDataException($"{path}: expected a column of texts named {Name}, found {string.Join(", ", reader.Schema.DataFields.Select(f => f.Name))}"));
    }
}
