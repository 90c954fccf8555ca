using System.Text.Json;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Inputs.Tests;

/// <summary>Checkpoint folders as they are published: pictures and prompts in, pixels and ids out.</summary>
public class CheckpointTests
{
    private const string EndToEnd = "clip/clip-e2e";

    private static string Folder(string relative)
    {
        string? folder = Fixtures.Find(relative).FirstOrDefault(d => File.Exists(Path.Combine(d, "tokenizer.json")));
        Assert.SkipWhen(folder is null, $"{relative} is not in this checkout");
        return folder!;
    }

    private static JsonElement Call(string folder, string name) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden.json"))).RootElement
        .GetProperty("calls").EnumerateArray().First(c => c.GetProperty("name").GetString() == name);

    [Fact]
    public void Pictures_become_the_pixels_of_the_old_style_configuration()
    {
        string folder = Folder(EndToEnd);
        JsonElement call = Call(folder, "preprocess_images");
        Golden golden = Golden.Open(Path.Combine(folder, "golden.safetensors"));
        ImagePipeline pipeline = ImagePipeline.FromPreprocessorConfig(folder);
        var tensor = new List<float>();
        var levels = new List<byte>();
        foreach (JsonElement picture in call.GetProperty("inputs").GetProperty("images").EnumerateArray())
        {
            string path = picture.GetString()!.Replace("../", "", StringComparison.Ordinal);
            string? file = Fixtures.Roots.Select(r => Fixtures.Data(r, path)).FirstOrDefault(p => p is not null);
            Assert.SkipWhen(file is null, $"{path} is not in this checkout");
            NativeImage image = new SkiaImageDecoder().DecodeNativeFile(file!, pipeline.DecodeOptions(applyOrientation: false));
            tensor.AddRange(pipeline.ToTensor(image));
            levels.AddRange(Planes(pipeline, image));
        }
        Assert.Equal(golden.Read<float>("in.pixel_values"), tensor);
        Assert.Equal(golden.Read<float>(call.GetProperty("mids").GetProperty("cropped_u8").GetString()!).Select(f => (byte)f), levels);
    }

    [Theory]
    [InlineData(EndToEnd, true)]
    [InlineData(EndToEnd, false)]
    public void Prompts_become_the_ids_of_either_form_of_the_tokenizer(string relative, bool tokenizerJson)
    {
        string folder = Folder(relative);
        ITokenizer tokenizer = tokenizerJson ? TokenizerLoader.Load(folder) : TokenizerLoader.Load(WithoutTokenizerJson(folder));
        Golden golden = Golden.Open(Path.Combine(folder, "golden.safetensors"));
        string[] texts = [.. Call(folder, "tokenize").GetProperty("inputs").GetProperty("texts").EnumerateArray().Select(t => t.GetString()!)];
        foreach ((string name, int length) in new[] { ("in.input_ids", golden.Shape("in.input_ids")[1]), ("in.input_ids_max_length", 32), ("in.input_ids_truncated", 10) })
        {
            Assert.Equal(golden.Read<long>(name), texts.SelectMany(t => tokenizer.EncodePadded(t, length).Ids).Select(i => (long)i));
        }
        Assert.Equal(golden.Read<long>("in.attention_mask_max_length"), texts.SelectMany(t => Enumerable.Range(0, 32).Select(i => i < tokenizer.EncodePadded(t, 32).Count ? 1L : 0L)));
        Assert.Equal(32, tokenizer.ModelMaxLength);
        Assert.Equal(1114, tokenizer.VocabularySize);
        Assert.Equal((1112, 1113, 1113), (tokenizer.Special.Begin, tokenizer.Special.End, tokenizer.Special.Pad));
    }

    [Fact]
    public void The_OpenAI_rules_give_the_same_ids_from_the_same_merges()
    {
        string folder = Folder(EndToEnd);
        ITokenizer openAi = TokenizerLoader.LoadOpenAi(Path.Combine(folder, "merges.txt"));
        foreach (JsonElement text in Call(folder, "tokenize").GetProperty("inputs").GetProperty("texts").EnumerateArray())
        {
            Assert.Equal(TokenizerLoader.Load(folder).Encode(text.GetString()!), openAi.Encode(text.GetString()!));
        }
    }

    [Fact]
    public void Both_forms_of_a_shipped_tokenizer_agree()
    {
        string folder = Folder("zoo/fashion-clip");
        ITokenizer json = TokenizerLoader.Load(folder), files = TokenizerLoader.Load(WithoutTokenizerJson(folder));
        foreach (string text in new[] { "a photo of a Sneaker", "it's 1999, <|endoftext|> café  😀", "" })
        {
            Assert.Equal(json.Encode(text), files.Encode(text));
            Assert.Equal(json.Decode(json.Encode(text)), files.Decode(json.Encode(text)));
        }
    }

    [Fact]
    public void A_tokenizer_of_the_fixtures_is_either_read_or_refused_by_the_name_of_a_part()
    {
        foreach (string file in Fixtures.Roots.Where(Directory.Exists).SelectMany(r => Directory.EnumerateFiles(r, "tokenizer.json", SearchOption.AllDirectories)))
        {
            try { TokenizerLoader.Load(file).Encode("a photo of a cat"); }
            catch (ConfigFormatException e) { Assert.Contains("not implemented", e.Message, StringComparison.Ordinal); }
        }
    }

    [Theory]
    [InlineData("""{"model": {"type": "Unigram", "vocab": []}}""", "Unigram")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": ["a b"]}}""", "ab")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 2000000000}, "merges": []}}""", "2000000000")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [], "temperature": 1}}""", "model.temperature")]
    [InlineData("""{"normalizer": {"type": "Nmt"}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}""", "Nmt")]
    [InlineData("""{"pre_tokenizer": {"type": "Metaspace"}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}""", "Metaspace")]
    [InlineData("""{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated", "invert": false}, "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}}""", "pattern")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "decoder": {"type": "CTC"}}""", "CTC")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": 3}}""", "wrong kind")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"\ud800": 0}, "merges": []}}""", "wrong kind")]
    [InlineData("""{"model": []}""", "model")]
    [InlineData("""[1]""", "object")]
    [InlineData("""{"model": {""", "JSON")]
    public void A_tokenizer_that_is_not_understood_is_an_error_with_the_part(string json, string named)
    {
        string folder = Directory.CreateTempSubdirectory("tokenizer").FullName;
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), json);
        Assert.Contains(named, Assert.Throws<ConfigFormatException>(() => TokenizerLoader.Load(folder)).Message, StringComparison.Ordinal);
    }

    private static byte[] Planes(ImagePipeline pipeline, NativeImage image)
    {
        (int width, int height) = pipeline.OutputSize(image.Width, image.Height);
        var pixels = new byte[width * height * 3];
        pipeline.Apply(image, pixels);
        return [.. Enumerable.Range(0, 3).SelectMany(c => Enumerable.Range(0, width * height).Select(i => pixels[i * 3 + c]))];
    }

    private static string WithoutTokenizerJson(string folder)
    {
        string copy = Directory.CreateTempSubdirectory("tokenizer").FullName;
        foreach (string name in new[] { "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json" })
        {
            if (File.Exists(Path.Combine(folder, name))) File.Copy(Path.Combine(folder, name), Path.Combine(copy, name));
        }
        return copy;
    }
}
