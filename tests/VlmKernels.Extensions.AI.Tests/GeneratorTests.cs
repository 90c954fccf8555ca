using Microsoft.Extensions.AI;
using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Tasks;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Extensions.AI.Tests;

/// <summary>The generators give the runtime's own embeddings, to any number of callers, and refuse what they cannot do.</summary>
public sealed class GeneratorTests : IDisposable
{
    private const string Name = "fashion-clip";

    private static readonly string Models = Path.Combine(Fixtures.Repository, "models");

    private readonly IBackend _backend = Devices.Open(new DeviceOptions(Threads: 2));
    private readonly ClipRuntime _clip;
    private readonly ClipTextEmbeddingGenerator _texts;
    private readonly ClipImageEmbeddingGenerator _images;

    public GeneratorTests()
    {
        _clip = ClipRuntime.Open(Path.Combine(Models, Name), _backend);
        _texts = new ClipTextEmbeddingGenerator(_clip, _backend, Name);
        _images = new ClipImageEmbeddingGenerator(_clip, _backend, Name);
    }

    public void Dispose()
    {
        _texts.Dispose();
        _images.Dispose();
        _clip.Dispose();
        _backend.Dispose();
    }

    [Fact]
    public async Task Texts_have_the_bits_of_the_runtime_and_count_the_tokens_that_the_model_sees()
    {
        string[] texts = [.. Enumerable.Range(0, 130).Select(i => $"a photo of {i} bags"), string.Join(' ', Enumerable.Repeat("shoe", 200))];
        var found = await _texts.GenerateAsync(texts, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(Direct((s, c) => c.EmbedTexts(s, texts)), found.SelectMany(e => e.Vector.ToArray()));
        int context = _clip.Model.Config.Text!.Context;
        Assert.Equal(texts.Sum(t => _clip.Tokenizer.EncodePadded(t, context).Count), found.Usage!.InputTokenCount);
        Assert.Equal(found.Usage.InputTokenCount, found.Usage.TotalTokenCount);
        Assert.All(found, e => Assert.Equal(Name, e.ModelId));
    }

    [Fact]
    public async Task Pictures_have_the_bits_of_the_runtime_from_bytes_and_from_data_URIs_in_any_number()
    {
        string[] files = [.. Enumerable.Range(0, _clip.PicturesAtOnce + 3).Select(i => Sample(1 + (i % 6)))];
        var decoder = new SkiaImageDecoder();
        var options = _clip.Pipeline.DecodeOptions(applyOrientation: true);
        float[] expected = Direct((s, c) => c.EmbedImages(s, [.. files.Select(f => decoder.DecodeNativeFile(f, options))]));
        var found = await _images.GenerateAsync(files.Select((f, i) => i % 2 == 0 ? Content(f) : new DataContent($"data:image/png;base64,{Convert.ToBase64String(File.ReadAllBytes(f))}")), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(expected, found.SelectMany(e => e.Vector.ToArray()));
        Assert.Null(found.Usage);
    }

    [Fact]
    public async Task Texts_and_pictures_share_one_space_of_vectors_of_length_one()
    {
        var sneaker = await _texts.GenerateVectorAsync("a photo of a sneaker", cancellationToken: TestContext.Current.CancellationToken);
        var pictures = await _images.GenerateAsync([Content(Sample(3)), Content(Sample(6))], cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(Dot(sneaker, pictures[0].Vector) > Dot(sneaker, pictures[1].Vector));
        Assert.All([sneaker, pictures[0].Vector, pictures[1].Vector], v => Assert.Equal(1, Dot(v, v), 1e-5f));
    }

    [Fact]
    public async Task Callers_on_many_threads_get_the_bits_of_one_alone()
    {
        string[][] inputs = [.. Enumerable.Range(0, 8).Select(c => Enumerable.Range(0, 70).Select(i => $"{c} bags and {i} boots").ToArray())];
        float[][] expected = [.. inputs.Select(t => Direct((s, c) => c.EmbedTexts(s, t)))];
        var found = await Task.WhenAll(inputs.Select(t => _texts.GenerateAsync(t, cancellationToken: TestContext.Current.CancellationToken)));
        Assert.Equal(expected, found.Select(g => g.SelectMany(e => e.Vector.ToArray()).ToArray()));
    }

    [Fact]
    public async Task A_cancelled_call_ends_between_pictures_and_leaves_the_generator_usable()
    {
        using var source = new CancellationTokenSource();
        // 100,000 pictures would take minutes.
        var call = _images.GenerateAsync(Enumerable.Repeat(Content(Sample(3)), 100_000), cancellationToken: source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _texts.GenerateAsync(["a bag"], cancellationToken: source.Token));
        Assert.Single(await _images.GenerateAsync([Content(Sample(3))], cancellationToken: TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Nothing_gives_nothing()
        => Assert.Empty(await _images.GenerateAsync([], cancellationToken: TestContext.Current.CancellationToken));

    [Fact]
    public async Task Another_model_or_size_is_refused_and_the_own_one_is_not()
    {
        Assert.Contains("Dimensions: expected 128, which is what this model gives, found 64", (await Refused(new() { Dimensions = 64 })).Message, StringComparison.Ordinal);
        Assert.Contains("ModelId: expected fashion-clip, found other", (await Refused(new() { ModelId = "other" })).Message, StringComparison.Ordinal);
        Assert.Single(await _texts.GenerateAsync(["a bag"], new() { Dimensions = _clip.EmbeddingSize, ModelId = Name }, TestContext.Current.CancellationToken));
        using var nameless = new ClipTextEmbeddingGenerator(_clip, _backend);
        await Assert.ThrowsAsync<ArgumentException>(() => nameless.GenerateAsync(["a bag"], new() { ModelId = Name }, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Null_and_what_is_no_picture_are_refused_by_name()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => _texts.GenerateAsync(["a bag", null!], cancellationToken: TestContext.Current.CancellationToken));
        Assert.Equal("input 1: expected a picture of media type image/*, found text/plain", (await Refused<ArgumentException>(new DataContent("bag"u8.ToArray(), "text/plain"))).Message);
        Assert.StartsWith("input 1: ", (await Refused<ImageFormatException>(new DataContent("bag"u8.ToArray(), "image/png"))).Message, StringComparison.Ordinal);
        Assert.StartsWith("bag.png: ", (await Refused<ImageFormatException>(new DataContent(File.ReadAllBytes(Sample(3)).AsMemory(0, 500), "image/png") { Name = "bag.png" })).Message, StringComparison.Ordinal);
        Assert.StartsWith("input 1: ", (await Refused<ImageFormatException>(new DataContent("data:image/png;base64,iVBORw0KGgo="))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void It_gives_itself_its_runtime_and_its_metadata()
    {
        Assert.Same(_texts, _texts.GetService<IEmbeddingGenerator<string, Embedding<float>>>());
        Assert.Same(_clip, _images.GetService<ClipRuntime>());
        var metadata = _images.GetService<EmbeddingGeneratorMetadata>()!;
        Assert.Equal(("vlmkernels", Name, _clip.EmbeddingSize), (metadata.ProviderName, metadata.DefaultModelId, metadata.DefaultModelDimensions));
        Assert.Null(_images.GetService<string>());
        Assert.Null(_images.GetService(typeof(ClipRuntime), "key"));
    }

    [Fact]
    public async Task A_disposed_generator_says_so_and_leaves_the_runtime_open()
    {
        using var generator = new ClipTextEmbeddingGenerator(_clip, _backend);
        generator.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => generator.GenerateAsync(["a bag"], cancellationToken: TestContext.Current.CancellationToken));
        Assert.Single(await _texts.GenerateAsync(["a bag"], cancellationToken: TestContext.Current.CancellationToken));
    }

    private Task<ArgumentException> Refused(EmbeddingGenerationOptions options)
        => Assert.ThrowsAsync<ArgumentException>(() => _texts.GenerateAsync(["a bag"], options, TestContext.Current.CancellationToken));

    private Task<T> Refused<T>(DataContent second) where T : Exception
        => Assert.ThrowsAsync<T>(() => _images.GenerateAsync([Content(Sample(3)), second], cancellationToken: TestContext.Current.CancellationToken));

    private float[] Direct(Func<Session, ClipRuntime, Tensor> embed)
    {
        using var session = new Session(_backend);
        var rows = embed(session, _clip);
        float[] values = new float[rows.Rows * _clip.EmbeddingSize];
        session.CopyOut<float>(rows, values);
        return values;
    }

    private static DataContent Content(string file) => new(File.ReadAllBytes(file), "image/png");

    private static string Sample(int index) => Path.Combine(Models, "samples", $"scene-{index}.png");

    private static float Dot(ReadOnlyMemory<float> a, ReadOnlyMemory<float> b) => a.ToArray().Zip(b.ToArray(), (x, y) => x * y).Sum();
}
