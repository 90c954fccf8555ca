using System.Diagnostics;
using System.Globalization;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Inputs.Tests;

/// <summary>
/// Damaged pictures, thousands in every run; VLMKERNELS_FUZZ=1000000 runs as many as it says, VLMKERNELS_FUZZ_SEED starts elsewhere.
/// Each gives a picture or an ImageFormatException, in little time and memory.
/// </summary>
public class PictureFuzzTests(ITestOutputHelper output)
{
    private const int LargestFile = 20_000, MaxPixels = 1 << 20, DefaultRuns = 4000, SmallSide = 32;

    // Pixels of four bytes in the codec's form, in the file's mode and as RGB, and room for tables.
    private const long MaxAllocated = 16L * MaxPixels;

    // Resizes in the file's own mode, which hostile shapes reach, too.
    private static readonly ImagePipeline Small = ImagePipeline.OpenAi(SmallSide);

    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task A_damaged_picture_gives_a_picture_or_one_clear_error()
    {
        int runs = Number("VLMKERNELS_FUZZ", DefaultRuns), seed = Number("VLMKERNELS_FUZZ_SEED", 1), decoded = 0, current = 0;
        var mutations = new PictureMutations(SmallFiles());
        Task work = Task.Run(() =>
        {
            for (int i = 0; i < runs; i++)
            {
                Volatile.Write(ref current, i);
                (string name, byte[] bytes) = mutations.Make(seed + i);
                if (Try(bytes, $"{name} with seed {seed + i}")) decoded++;
            }
        });
        // A picture that never ends must fail the test, not stop it.
        for (int last = -1; await Task.WhenAny(work, Task.Delay(5 * MaxTime)) != work; last = Volatile.Read(ref current))
        {
            Assert.False(last == Volatile.Read(ref current), $"the picture with seed {seed + last} does not end");
        }
        await work;
        output.WriteLine($"{runs} damaged pictures from seed {seed}: {decoded} decoded, {runs - decoded} refused");
    }

    private static bool Try(byte[] bytes, string name)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        long started = Stopwatch.GetTimestamp();
        bool decoded = Decodes(bytes, name);
        TimeSpan time = Stopwatch.GetElapsedTime(started);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Assert.True(time < MaxTime, $"{name} took {time}");
        Assert.True(allocated < MaxAllocated, $"{name} allocated {allocated} bytes");
        return decoded;
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
        catch (Exception e) when (e is not Xunit.Sdk.IAssertionException)
        {
            throw new InvalidOperationException($"{name}: {e.GetType().Name} instead of ImageFormatException", e);
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

    private static int Number(string variable, int absent) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : absent;
}
