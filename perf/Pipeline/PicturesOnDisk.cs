using SkiaSharp;
using VlmKernels.Testing;

namespace VlmKernels.Perf;

/// <summary>Picture files to read, made from those of the repository in a folder that goes with it.</summary>
internal sealed class PicturesOnDisk : IDisposable
{
    private const int Quality = 90;

    private static readonly string[] Photos = ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"];

    private readonly string _folder = Directory.CreateTempSubdirectory("vlm-perf-").FullName;

    /// <summary>The shipped scenes, PNG of 512×512: what <c>fashion-clip</c> was made for.</summary>
    public static string[] Scenes() => [.. Directory.EnumerateFiles(Path.Combine(Fixtures.Repository, "models", "samples"), "*.png").Order(StringComparer.Ordinal)];

    /// <summary>Photographs as JPEG of the given size.</summary>
    public string[] Jpegs(int width, int height) => [.. Photos.Select(p => Jpeg(Path.Combine(Fixtures.Repository, "tests", "data", "photos", p), width, height))];

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Jpeg(string source, int width, int height)
    {
        using var picture = SKBitmap.Decode(source);
        using var scaled = picture.Resize(new SKImageInfo(width, height), new SKSamplingOptions(SKCubicResampler.Mitchell));
        string path = Path.Combine(_folder, $"{Path.GetFileNameWithoutExtension(source)}-{width}x{height}.jpg");
        using var file = File.Create(path);
        scaled.Encode(file, SKEncodedImageFormat.Jpeg, Quality);
        return path;
    }
}
