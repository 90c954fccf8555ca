using VlmKernels.Inputs;
using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>A picture or text beside what a reference implementation made of it.</summary>
/// <param name="File">The picture or text file.</param>
/// <param name="PixelDifference">Largest difference of a prepared, normalised pixel; null when none are stored. One level of 255 is about 0.015.</param>
/// <param name="Cosine">Cosine of the computed and the stored embedding; null when none is stored.</param>
public sealed record GoldenEmbedding(string File, float? PixelDifference, double? Cosine)
{
    /// <summary>The largest difference that passes: decoders of JPEG differ by a level or two.</summary>
    public const float PixelTolerance = 0.04f;

    /// <summary>The smallest cosine that passes: stored half precision and such pixels cost far less, another model or activation far more.</summary>
    public const double LeastCosine = 0.999;

    /// <summary>True when all that is stored was met. What is no number does not pass.</summary>
    public bool Passed => PixelDifference is null or <= PixelTolerance && Cosine is null or >= LeastCosine;
}

/// <summary>
/// Compares a model with published values: a folder of pictures <c>NAME.jpg</c> (or another picture format) and texts <c>NAME.txt</c>, each with
/// <c>NAME.pixels.npy</c> (<c>[3, height, width]</c>, pictures only), <c>NAME.embedding.npy</c> (<c>[embedding]</c>, of any length) or both, packed with
/// gzip (<c>.npy.gz</c>) or not. Pictures are not turned by EXIF, as in the published pipelines.
/// </summary>
/// <param name="Rows">One per picture or text, by name.</param>
public sealed record GoldenEmbeddings(IReadOnlyList<GoldenEmbedding> Rows)
{
    private const string Pixels = "pixels", Embedding = "embedding";

    /// <summary>True when all passed.</summary>
    public bool Passed => Rows.All(r => r.Passed);

    /// <summary>Compares everything in a folder.</summary>
    /// <param name="clip">The model.</param>
    /// <param name="session">A session on its backend.</param>
    /// <param name="folder">The folder.</param>
    /// <exception cref="InvalidDataException">The folder holds no such files, one has no picture or text beside it, or a size is another than the model's.</exception>
    /// <exception cref="ImageFormatException">A picture cannot be read.</exception>
    public static GoldenEmbeddings Run(ClipRuntime clip, Session session, string folder)
    {
        var files = Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).ToLookup(f => Stored(f) is null);
        var stored = files[false].GroupBy(f => Stored(f)!.Value.Name).ToList();
        if (stored.Count == 0) throw new InvalidDataException($"{folder}: expected files NAME.{Pixels}.npy or NAME.{Embedding}.npy, packed with gzip or not, found none");
        if (files[false].GroupBy(f => Stored(f)!.Value).FirstOrDefault(g => g.Count() > 1) is { } twice) throw new InvalidDataException($"{folder}: expected one file of stored values, found {string.Join(" and ", twice.Select(Path.GetFileName))}");
        return new GoldenEmbeddings([.. stored.Select(s => Compare(clip, session, Source(s.First(), s.Key, files[true]), s.ToDictionary(f => Stored(f)!.Value.Kind)))]);
    }

    /// <summary>The largest difference between a picture's prepared pixels and stored ones.</summary>
    /// <param name="pipeline">Prepares the picture.</param>
    /// <param name="picture">A picture file.</param>
    /// <param name="pixels">A NumPy file: normalised pixels [3, height, width].</param>
    /// <exception cref="InvalidDataException">The stored pixels are damaged, or as many as another size has.</exception>
    /// <exception cref="ImageFormatException">The picture cannot be read.</exception>
    public static float PixelDifference(ImagePipeline pipeline, string picture, string pixels)
        => PixelDifference(pipeline, Decode(pipeline, picture), pixels);

    private static float PixelDifference(ImagePipeline pipeline, NativeImage image, string pixels)
    {
        float[] found = pipeline.ToTensor(image), expected = Read(pixels, found.Length, "pixels");
        float largest = 0;
        for (int i = 0; i < found.Length; i++) largest = MathF.Max(largest, MathF.Abs(found[i] - expected[i]));
        return largest;
    }

    private static GoldenEmbedding Compare(ClipRuntime clip, Session session, string source, Dictionary<string, string> stored)
    {
        bool isText = IsText(source);
        if (isText && stored.TryGetValue(Pixels, out string? wrong)) throw new InvalidDataException($"{wrong}: expected a picture beside it, found the text {source}");
        var image = isText ? null : Decode(clip.Pipeline, source);
        float? difference = image is not null && stored.TryGetValue(Pixels, out string? pixels) ? PixelDifference(clip.Pipeline, image, pixels) : null;
        if (!stored.TryGetValue(Embedding, out string? embedding)) return new GoldenEmbedding(source, difference, null);
        using var mark = session.Mark();
        float[] found = new float[clip.EmbeddingSize];
        session.CopyOut<float>(image is null ? clip.EmbedTexts(session, [File.ReadAllText(source).TrimEnd('\r', '\n')]) : clip.EmbedImages(session, [image]), found);
        return new GoldenEmbedding(source, difference, Cosine(found, Read(embedding, found.Length, "numbers of an embedding")));
    }

    private static NativeImage Decode(ImagePipeline pipeline, string picture) => new SkiaImageDecoder().DecodeNativeFile(picture, pipeline.DecodeOptions(applyOrientation: false));

    private static float[] Read(string file, int count, string what)
    {
        var stored = NpyFile.Read(file);
        return stored.Values.Length == count ? stored.Values : throw new InvalidDataException($"{file}: expected {count} {what}, which is what this model has, found [{string.Join(", ", stored.Shape)}]");
    }

    private static double Cosine(float[] a, float[] b)
    {
        double dot = 0, squareA = 0, squareB = 0;
        for (int i = 0; i < a.Length; i++)
        {
            dot += (double)a[i] * b[i];
            squareA += (double)a[i] * a[i];
            squareB += (double)b[i] * b[i];
        }
        return dot / Math.Sqrt(squareA * squareB);
    }

    /// <summary>What a file of values belongs to and holds; null for any other file.</summary>
    private static (string Name, string Kind)? Stored(string file)
    {
        string name = Path.GetFileName(file);
        foreach (string kind in (ReadOnlySpan<string>)[Pixels, Embedding])
        {
            foreach (string end in (ReadOnlySpan<string>)[$".{kind}.npy", $".{kind}.npy.gz"])
            {
                if (name.Length > end.Length && name.EndsWith(end, StringComparison.Ordinal)) return (name[..^end.Length], kind);
            }
        }
        return null;
    }

    private static string Source(string stored, string name, IEnumerable<string> others)
    {
        string[] found = [.. others.Where(f => Path.GetFileNameWithoutExtension(f) == name)];
        return found is [var one] ? one : throw new InvalidDataException($"{stored}: expected one picture or text named {name} beside it, found {(found.Length == 0 ? "none" : string.Join(", ", found.Select(Path.GetFileName)))}");
    }

    private static bool IsText(string file) => Path.GetExtension(file) == ".txt";
}
