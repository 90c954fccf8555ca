using System.Text.Json;
using VlmKernels.Testing;
using VlmKernels.Weights;
using Xunit;

namespace VlmKernels.Models.Tests;

public class GridResamplerTests
{
    private const float Tolerance = 2e-6f;

    public static TheoryData<string, string, string> Rows()
    {
        var rows = new TheoryData<string, string, string>();
        foreach (string folder in Fixtures.Find("inputs/numerics"))
        {
            using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden.json")));
            foreach (var call in golden.RootElement.GetProperty("calls").EnumerateArray().Where(c => c.GetProperty("name").GetString()!.StartsWith("interpolate", StringComparison.Ordinal)))
            {
                string input = call.GetProperty("inputs").GetProperty("x").GetString()!;
                foreach (var output in call.GetProperty("outputs").EnumerateObject().Where(o => o.Name is "bicubic" or "bicubic_antialias" or "linear"))
                {
                    rows.Add(folder, input, output.Value.GetString()!);
                }
            }
        }
        return rows;
    }

    [Theory]
    [MemberData(nameof(Rows))]
    public void Tables_are_resampled_as_by_PyTorch(string folder, string input, string output)
    {
        using var file = SafetensorsFile.Open(Path.Combine(folder, "golden.safetensors"));
        var (source, from) = ChannelsLast(file.Tensors[input]);
        var (expected, to) = ChannelsLast(file.Tensors[output]);
        var kernel = output.Contains("linear", StringComparison.Ordinal) ? ResampleKernel.Linear
            : output.Contains("antialias", StringComparison.Ordinal) ? ResampleKernel.BicubicAntialias : ResampleKernel.Bicubic;
        float[] result = GridResampler.Resample(source, source.Length / (from.Height * from.Width), from, to, kernel);
        Assert.Equal(expected.Length, result.Length);
        for (int i = 0; i < result.Length; i++) Assert.True(MathF.Abs(result[i] - expected[i]) <= Tolerance * MathF.Max(1, MathF.Abs(expected[i])), $"{result[i]} instead of {expected[i]} at {i}");
    }

    [Fact]
    public void There_are_rows() => Assert.True(Rows().Count >= 21, "the numerics table is missing");

    /// <summary>[1, channels, h, w] or [1, channels, length] as rows of channels.</summary>
    private static (float[] Values, (int Height, int Width) Grid) ChannelsLast(StoredTensor tensor)
    {
        var values = new float[tensor.ElementCount];
        tensor.ReadFloats(0, values);
        int channels = (int)tensor.Shape[1], cells = values.Length / channels;
        var rows = new float[values.Length];
        for (int c = 0; c < channels; c++)
        {
            for (int i = 0; i < cells; i++) rows[(i * channels) + c] = values[(c * cells) + i];
        }
        int width = (int)tensor.Shape[^1];
        return (rows, (cells / width, width));
    }
}
