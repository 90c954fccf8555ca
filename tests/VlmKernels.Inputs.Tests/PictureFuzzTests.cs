using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Inputs.Tests;

/// <summary>Damaged pictures: each gives a picture or an ImageFormatException, in little time and memory.</summary>
public class PictureFuzzTests(ITestOutputHelper output)
{
    private const int LargestFile = 20_000, MaxPixels = 1 << 20, DefaultRuns = 4000, SmallSide = 32;

    // Pixels of four bytes in the codec's form, in the file's mode and as RGB, and room for tables.
    private const long MaxAllocated = 16L * MaxPixels;

    // Resizes in the file's own mode, which hostile shapes reach, too.
    private static readonly ImagePipeline Small = ImagePipeline.OpenAi(SmallSide);

    [Fact]
    public async Task A_damaged_picture_gives_a_picture_or_one_clear_error()
    {
        var mutations = new PictureMutations(SmallFiles());
        output.WriteLine(await Fuzz.Run("damaged picture", DefaultRuns, MaxAllocated, seed =>
        {
            (string name, byte[] bytes) = mutations.Make(seed);
            return Decodes(bytes, name);
        }));
    }

    private static bool Decodes(byte[] bytes, string name)
    {
        try
        {
            NativeImage image = new SkiaImageDecoder().DecodeNative(bytes, name, new DecodeOptions(MaxPixels: MaxPixels));
            Assert.True((long)image.Width * image.Height <= MaxPixels, $"{name}: {image.Width}x{image.Height} pixels");
            image.ToRgb(AlphaRule.OnWhite);
            Small.Apply(image, new byte[SmallSide * SmallSide * 3]);
            return true;
        }
        catch (ImageFormatException e)
        {
            Assert.Contains(name, e.Message, StringComparison.Ordinal);
            return false;
        }
    }

    private static List<(string, byte[])> SmallFiles()
    {
        string folder = Path.Combine(Fixtures.Repository, "tests", "data");
        var files = new List<(string, byte[])>();
        foreach (string part in (ReadOnlySpan<string>)["edge-cases", "photos"])
        {
            foreach (string path in Directory.EnumerateFiles(Path.Combine(folder, part), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
            {
                if (new FileInfo(path).Length is > 0 and <= LargestFile) files.Add((Path.GetFileName(path), File.ReadAllBytes(path)));
            }
        }
        return files;
    }
}
