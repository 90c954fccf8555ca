using VlmKernels.Kernels;
using VlmKernels.Kernels.Cpu;
using VlmKernels.Tasks;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Models.Tests;

public sealed class EmbeddingIndexTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vlm-index-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1, false)]
    [InlineData(7, false)]
    [InlineData(7, true)]
    [InlineData(1000, true)]
    public void Search_finds_what_a_sort_of_all_scores_in_double_finds(int k, bool half)
    {
        // Quarters from −1 to 1: sums are exact and many are equal. Over 4096 rows a file is searched in more than one block only with many queries.
        var random = new Random(k);
        float[][] rows = [.. Enumerable.Range(0, 6000).Select(_ => Quarters(random, 20))], queries = [.. Enumerable.Range(0, 300).Select(_ => Quarters(random, 20))];
        string[] paths = [.. rows.Select((_, i) => $"pictures/ü{i}.png")];
        (int Start, int End)[] files = [(0, 10), (10, 5500), (5500, 6000)];
        for (int f = 0; f < files.Length; f++) IndexFolder.Write(_folder, $"{f:D2}", rows[files[f].Start..files[f].End], paths[files[f].Start..files[f].End], half);
        using var backend = new CpuBackend();
        using var session = new Session(backend);
        using var index = EmbeddingIndex.Open(_folder, backend);
        Assert.Equal((6000, 20), (index.Count, index.EmbeddingSize));
        foreach (int count in (int[])[1, queries.Length])
        {
            var x = session.TakeFloat(count, 20);
            session.CopyIn<float>([.. queries[..count].SelectMany(q => q)], x);
            var hits = index.Search(session, x, k);
            for (int q = 0; q < count; q += 37)
            {
                double[] scores = [.. rows.Select(r => r.Zip(queries[q], (a, b) => (double)a * b).Sum())];
                var expected = Enumerable.Range(0, rows.Length).OrderByDescending(i => scores[i]).ThenBy(i => i).Take(k).Select(i => new SearchHit((float)scores[i], i, paths[i]));
                Assert.Equal(expected, hits[q]);
            }
        }
    }

    [Fact]
    public void Every_backend_finds_the_same_and_more_hits_than_rows_are_all_rows()
    {
        IndexFolder.Write(_folder, "0", [[1, 0], [0, 1], [1, 0]], ["a", "b", "c"]);
        foreach (var backend in (IBackend[])[new ReferenceBackend(), new CpuBackend(new CpuOptions { Tier = Tier.Vector128 }), new CpuBackend()])
        {
            using (backend)
            using (var session = new Session(backend))
            using (var index = EmbeddingIndex.Open(_folder, backend))
            {
                var x = session.TakeFloat(1, 2);
                session.CopyIn<float>([0.5f, 1], x);
                Assert.Equal([new SearchHit(1, 1, "b"), new SearchHit(0.5f, 0, "a"), new SearchHit(0.5f, 2, "c")], index.Search(session, x, 100)[0]);
                Assert.Contains("expected embeddings of 3 numbers, as the model makes them, found 2", Assert.Throws<InvalidDataException>(() => index.Search(session, session.TakeFloat(1, 3), 1)).Message, StringComparison.Ordinal);
                Assert.Throws<ArgumentException>(() => index.Search(session, x, 0));
            }
        }
    }

    [Fact]
    public void A_stored_number_that_is_not_finite_is_an_error_that_names_its_row()
    {
        IndexFolder.Write(_folder, "0", [[1, 0], [0, float.NaN]], ["a", "b"]);
        using var backend = new CpuBackend();
        using var session = new Session(backend);
        using var index = EmbeddingIndex.Open(_folder, backend);
        var x = session.TakeFloat(1, 2);
        session.CopyIn<float>([1, 1], x);
        Assert.EndsWith("img_emb_0.npy: row 1: expected finite numbers, found a score of NaN", Assert.Throws<InvalidDataException>(() => index.Search(session, x, 1)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", "expected fortran_order False")]
    [InlineData("{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3), }", "expected fortran_order False")]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", "expected descr '<f2', '<f4' or '<f8', found '>f4'")]
    [InlineData("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", "expected a matrix of float16 or float32, found the shape (2, 3) of 8 bytes a number")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", "expected descr '<f2', '<f4' or '<f8', found '|O'")]
    [InlineData("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2, 3), }", "expected a text in quotes, found [")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", "expected a matrix of float16 or float32, found the shape (6)")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 1), }", "expected a matrix of float16 or float32, found the shape (2, 3, 1)")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3), }", "expected a shape of whole numbers, found -2")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0), }", "expected a matrix of float16 or float32, found the shape (2, 0)")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 3), }", "expected a shape of whole numbers, found 99999999999")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647, 2147483647), }", "bytes for 2147483647 rows of 2147483647 numbers, found 152")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3), }", "expected 164 bytes for 3 rows of 3 numbers, found 152")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3), }", "expected 140 bytes for 1 rows of 3 numbers, found 152")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, }", "expected a shape, found nothing")]
    [InlineData("{'descr': '<f4', 'descr': '<f2', 'fortran_order': False, 'shape': (2, 3)}", "each once, found 'descr'")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'extra': 1}", "each once, found 'extra'")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} + exit()", "expected nothing behind the dictionary, found + exit()")]
    [InlineData("{'descr': '<f4", "expected a text in quotes, found '<f4")]
    [InlineData("[]", "expected {, found []")]
    public void A_header_that_is_not_understood_is_refused(string header, string message)
    {
        IndexFolder.Write(_folder, "0", [[1, 2, 3], [4, 5, 6]], ["a", "b"]);
        IndexFolder.WriteNpy(_folder, "0", header, new byte[24]);
        Refuses(message);
    }

    [Fact]
    public void Damage_is_refused_by_name()
    {
        string file = Path.Combine(_folder, "img_emb", "img_emb_0.npy"), metadata = Path.Combine(_folder, "metadata", "metadata_0.parquet");
        Refuses("expected an index (img_emb/img_emb_0.npy and so on, and metadata), found no embeddings");
        IndexFolder.Write(_folder, "0", [[1, 2, 3], [4, 5, 6]], ["a", "b"]);
        byte[] good = File.ReadAllBytes(file);
        foreach (int length in (int[])[0, 5, 11, 12, 60, good.Length - 1])
        {
            File.WriteAllBytes(file, good[..length]);
            Refuses("img_emb_0.npy: ");
        }
        foreach (var (at, value) in ((int, byte)[])[(0, 0), (6, 9), (6, 2), (9, 0xFF)])
        {
            byte[] bad = [.. good];
            bad[at] = value;
            File.WriteAllBytes(file, bad);
            Refuses("img_emb_0.npy: ");
        }
        File.WriteAllBytes(file, good);
        IndexFolder.Write(_folder, "2", [[1, 2, 3]], ["c"]);
        Refuses("expected a file with number 1, found img_emb_2.npy");
        IndexFolder.Write(_folder, "1", [[1, 2]], ["c"]);
        Refuses("img_emb_1.npy: expected embeddings of 3 numbers, as in img_emb_0.npy, found 2");
        IndexFolder.Write(_folder, "1", [[1, 2, 3]], ["c"]);
        File.WriteAllText(metadata, "no parquet");
        Refuses("metadata_0.parquet: expected a Parquet file, found one that cannot be read");
        IndexFolder.WriteColumn(metadata, "caption", ["a", "b"]);
        Refuses("metadata_0.parquet: expected a column of texts named image_path, found caption");
        IndexFolder.WriteColumn(metadata, "image_path", ["a"]);
        Refuses("metadata_0.parquet: expected 2 rows, as img_emb_0.npy has, found 1");
        File.Delete(metadata);
        Refuses("metadata_0.parquet: expected the metadata of img_emb_0.npy, found nothing");
    }

    private void Refuses(string message)
    {
        using var backend = new ReferenceBackend();
        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => EmbeddingIndex.Open(_folder, backend)).Message, StringComparison.Ordinal);
    }

    private static float[] Quarters(Random random, int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(-4, 5) / 4f)];
}
