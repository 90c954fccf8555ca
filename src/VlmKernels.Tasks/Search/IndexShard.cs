using System.Globalization;
using System.Text.RegularExpressions;
using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>One part of an index: a matrix of embeddings and what its rows stand for.</summary>
internal sealed partial class IndexShard : IDisposable
{
    private readonly string _metadata;
    private string[]? _paths;

    private IndexShard(NpyMatrix matrix, string metadata, Tensor rows) => (Matrix, _metadata, Rows) = (matrix, metadata, rows);

    public NpyMatrix Matrix { get; }

    /// <summary>[rows, embedding] F32 or F16.</summary>
    public Tensor Rows { get; }

    /// <summary>Files of embeddings of a folder in the order of their numbers, which start at 0.</summary>
    /// <exception cref="InvalidDataException">There is none, or one is missing in between.</exception>
    public static string[] Find(string folder)
    {
        string embeddings = Path.Combine(folder, "img_emb");
        var found = Directory.Exists(embeddings) ? Directory.EnumerateFiles(embeddings).Where(f => FileName().IsMatch(Path.GetFileName(f))).Select(f => (File: f, Number: Number(f))).OrderBy(f => f.Number).ToArray() : [];
        if (found.Length == 0) throw new InvalidDataException($"{folder}: expected an index (img_emb/img_emb_0.npy and so on, and metadata), found no embeddings");
        for (int i = 0; i < found.Length; i++)
        {
            if (found[i].Number != i) throw new InvalidDataException($"{embeddings}: expected a file with number {i}, found {Path.GetFileName(found[i].File)}");
        }
        return [.. found.Select(f => f.File)];
    }

    /// <exception cref="InvalidDataException">A file is broken, or both have other numbers of rows.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static IndexShard Open(string folder, string embeddings, IBackend backend)
    {
        string metadata = Path.Combine(folder, "metadata", $"metadata_{Digits(embeddings)}.parquet");
        var matrix = NpyMatrix.Open(embeddings);
        try
        {
            if (!File.Exists(metadata)) throw new InvalidDataException($"{metadata}: expected the metadata of {Path.GetFileName(embeddings)}, found nothing");
            long count = MetadataFile.Count(metadata, MetadataFile.ImagePath);
            if (count != matrix.Rows) throw new InvalidDataException($"{metadata}: expected {matrix.Rows} rows, as {Path.GetFileName(embeddings)} has, found {count}");
            return new IndexShard(matrix, metadata, matrix.Map(backend));
        }
        catch
        {
            matrix.Dispose();
            throw;
        }
    }

    /// <summary>The path that belongs to a row; all are read when the first is asked for.</summary>
    public string PathOf(int row)
    {
        _paths ??= MetadataFile.Read(_metadata, MetadataFile.ImagePath);
        return _paths.Length == Matrix.Rows ? _paths[row] : throw new InvalidDataException($"{_metadata}: expected {Matrix.Rows} rows, found {_paths.Length}");
    }

    public void Dispose()
    {
        Rows.Storage!.Dispose();
        Matrix.Dispose();
    }

    private static string Digits(string file) => FileName().Match(Path.GetFileName(file)).Groups[1].Value;

    private static int Number(string file) => int.TryParse(Digits(file), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : int.MaxValue;

    [GeneratedRegex(@"^img_emb_(\d+)\.npy$", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();
}
