using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Tasks;
using VlmKernels.Weights;
using Xunit;

namespace VlmKernels.Models.Tests;

public class ClipRuntimeTests
{
    private const string Case = "clip-e2e";

    [Fact]
    public void An_hf_checkpoint_without_its_configuration_is_refused()
    {
        using var copy = new CaseCopy(Case);
        File.Delete(Path.Combine(copy.Path, "config.json"));
        Assert.Contains("expected config.json beside a checkpoint in the HF layout", Assert.Throws<WeightFileException>(() => ClipCheckpoint.Open(copy.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_hf_checkpoint_without_tokenizer_files_is_refused()
    {
        using var copy = new CaseCopy(Case);
        File.Delete(Path.Combine(copy.Path, "tokenizer.json"));
        File.Delete(Path.Combine(copy.Path, "vocab.json"));
        Assert.EndsWith($"looked for tokenizer.json and vocab.json in {copy.Path}", Assert.Throws<FileNotFoundException>(() => Open(copy.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pipeline_that_had_to_be_assumed_is_noted()
    {
        using var copy = new CaseCopy(Case);
        Assert.Empty(Open(copy.Path));
        File.Delete(Path.Combine(copy.Path, "preprocessor_config.json"));
        Assert.Equal("no preprocessor_config.json beside the checkpoint: pictures are prepared as OpenAI does", Assert.Single(Open(copy.Path)));
    }

    [Fact]
    public void Pictures_of_another_size_than_the_models_name_both_files()
    {
        using var copy = new CaseCopy(Case);
        File.WriteAllText(Path.Combine(copy.Path, "preprocessor_config.json"), """
            {"image_processor_type": "CLIPImageProcessor", "do_resize": true, "size": {"shortest_edge": 8}, "do_center_crop": true, "crop_size": {"height": 8, "width": 8}}
            """);
        string message = Assert.Throws<ConfigFormatException>(() => Open(copy.Path)).Message;
        Assert.StartsWith(Path.Combine(copy.Path, "preprocessor_config.json"), message, StringComparison.Ordinal);
        Assert.Contains($"become 8×8, but {Path.Combine(copy.Path, "config.json")} says that the model takes ", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_with_more_ids_than_the_model_knows_is_refused()
    {
        using var copy = new CaseCopy("clip-vit-a");
        string message = Assert.Throws<ConfigFormatException>(() => Open(Path.Combine(copy.Path, "model.safetensors"))).Message;
        Assert.Contains("the tokenizer has 49408 ids, but the model in ", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Prepared_pictures_in_any_number_give_the_bits_of_the_pictures()
    {
        using var copy = new CaseCopy(Case);
        using var backend = new ReferenceBackend();
        using var clip = ClipRuntime.Open(copy.Path, backend);
        using var session = new Session(backend);
        var classifier = new ZeroShotClassifier(clip, session, ["bag", string.Join(' ', Enumerable.Repeat("shoe", 100))]);
        Assert.StartsWith("shoe shoe", Assert.Single(classifier.CutLabels), StringComparison.Ordinal);
        NativeImage[] images = [.. Enumerable.Range(0, clip.PicturesAtOnce + 3).Select(Picture)];
        byte[] pixels = new byte[images.Length * clip.PixelBytes];
        for (int i = 0; i < images.Length; i++) clip.Prepare(images[i], pixels.AsSpan(i * clip.PixelBytes, clip.PixelBytes));
        float[][] expected = classifier.Probabilities(session, images);
        Assert.Equal(expected, classifier.Probabilities(session, pixels, images.Length));
        Assert.Equal(expected[^1], classifier.Probabilities(session, [images[^1]])[0]);
        Assert.Throws<ArgumentException>(() => classifier.Probabilities(session, pixels, 1));
    }

    private static RgbImage Picture(int seed)
    {
        byte[] rgb = new byte[20 * 30 * 3];
        new Random(seed).NextBytes(rgb);
        return new RgbImage(20, 30, rgb);
    }

    private static IReadOnlyList<string> Open(string path)
    {
        using var backend = new ReferenceBackend();
        using var clip = ClipRuntime.Open(path, backend);
        return clip.Notes;
    }
}
