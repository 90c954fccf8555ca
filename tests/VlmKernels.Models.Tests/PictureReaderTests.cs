using VlmKernels.Inputs;
using VlmKernels.Tasks;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Models.Tests;

public sealed class PictureReaderTests : IDisposable
{
    private readonly ClipRuntime _clip;
    private readonly Kernels.IBackend _backend = Devices.Open();

    public PictureReaderTests() => _clip = ClipRuntime.Open(Path.Combine(Fixtures.Repository, "models", "fashion-clip"), _backend);

    public void Dispose()
    {
        _clip.Dispose();
        _backend.Dispose();
    }

    [Theory]
    [InlineData(0, 4, 2)]
    [InlineData(1, 4, 3)]
    [InlineData(23, 4, 1)]
    [InlineData(24, 4, 5)]
    [InlineData(25, 64, 3)]
    public void Pictures_come_in_order_without_the_unreadable(int count, int most, int threads)
    {
        using var reader = new PictureReader(_clip, count, Decode, most, threads: threads);
        int next = 0;
        byte[] expected = new byte[_clip.PixelBytes];
        foreach (var batch in reader.Batches())
        {
            Assert.Equal(next, batch.First);
            Assert.Equal(Math.Min(most, count - next), batch.Count);
            int[] all = [.. Enumerable.Range(next, batch.Count)];
            Assert.Equal(all.Where(i => !IsBad(i)), batch.Read);
            Assert.Equal(all.Where(IsBad).Select(i => (i, $"number {i}: bad")), batch.Unreadable);
            for (int k = 0; k < batch.Read.Count; k++)
            {
                _clip.Prepare(Picture(batch.Read[k]), expected);
                Assert.True(batch.Pixels.Slice(k * expected.Length, expected.Length).SequenceEqual(expected));
            }
            next += batch.Count;
        }
        Assert.Equal(count, next);
    }

    [Fact]
    public void A_fault_reaches_the_caller()
    {
        using var reader = new PictureReader(_clip, 100, (i, _) => i == 30 ? throw new InvalidCastException("a fault") : Picture(i), 8);
        Assert.Equal("a fault", Assert.Throws<InvalidCastException>(() => reader.Batches().Count()).Message);
    }

    [Fact]
    public void Cancelling_ends_the_wait()
    {
        using var never = new ManualResetEventSlim();
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        using var reader = new PictureReader(_clip, 100, (i, _) => { never.Wait(); return Picture(i); }, 8);
        Assert.Throws<OperationCanceledException>(() => reader.Batches(source.Token).Count());
        never.Set();
    }

    [Fact]
    public void Only_three_batches_are_read_ahead()
    {
        int started = 0;
        using var reader = new PictureReader(_clip, 100, (i, _) => { Interlocked.Increment(ref started); return Picture(i); }, 8);
        foreach (var batch in reader.Batches())
        {
            Thread.Sleep(20);
            Assert.InRange(Volatile.Read(ref started), batch.First + batch.Count, batch.First + (3 * 8));
        }
    }

    [Fact]
    public void Abandoned_readers_end()
    {
        using var reader = new PictureReader(_clip, 1000, (i, _) => Picture(i), 8);
        Assert.Equal(0, reader.Batches().First().First);
    }

    private static bool IsBad(int index) => index % 5 == 2;

    private static RgbImage Decode(int index, DecodeOptions options) => IsBad(index) ? throw new ImageFormatException($"number {index}", "bad") : Picture(index);

    private static RgbImage Picture(int index)
    {
        var pixels = new byte[70 * 65 * 3];
        new Random(index).NextBytes(pixels);
        return new RgbImage(70, 65, pixels);
    }
}
