using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Testing;
using VlmKernels.Weights;
using Xunit;

namespace VlmKernels.Models.Tests;

/// <summary>Loading: names of both layouts, tied tensors, what is missing, what a file can be loaded as.</summary>
public sealed class BlipModelTests : IDisposable
{
    private const string WordEmbeddings = "text_decoder.bert.embeddings.word_embeddings.weight", Predictions = "text_decoder.cls.predictions.";

    private static readonly BlipLoadOptions Itm = new() { VisionHeads = 5, TextHeads = 2, VisionEpsilon = 1e-5f, Tokens = new BlipTokens(118, 119, 4, 0) };

    private readonly CaseCopy _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_original_names_give_the_same_bits_and_training_leftovers_are_overlooked()
    {
        float[] expected = MatchLogits(Fixture("blip-hf-itm"), null);
        string path = Rewrite("blip-hf-itm", "model.safetensors", (name, add) =>
        {
            add(Original(name));
            if (name.StartsWith("text_encoder.", StringComparison.Ordinal)) add(name.Replace("text_encoder.", "text_encoder_m.", StringComparison.Ordinal));
            if (name == "itm_head.bias") foreach (string extra in (string[])["temp", "image_queue", "text_queue", "queue_ptr", "ptr_queue", "idx_queue", "text_encoder.embeddings.position_ids"]) add(extra);
        });
        using var checkpoint = BlipCheckpoint.Open(path, Itm);
        Assert.Equal(("original layout", false), (checkpoint.Weights.Layout.Name, checkpoint.IsHuggingFace));
        Assert.Equal([BlipTask.Match, BlipTask.Encode], checkpoint.Tasks);
        Assert.Equal((24, 8, 2, 2, 40), (checkpoint.Config.Vision.ImageSize, checkpoint.Config.Vision.PatchSize, checkpoint.Config.Vision.Block.Layers, checkpoint.Config.Text.Block.Layers, checkpoint.Config.Text.Context));
        Assert.Equal(expected, MatchLogits(path, Itm));
    }

    [Fact]
    public void An_original_checkpoint_says_which_heads_were_assumed()
    {
        string path = Rewrite("blip-hf-itm", "model.safetensors", (name, add) => add(Original(name)));
        File.Copy(Path.Combine(Fixtures.Repository, "tests", "fixtures", "blip", "blip-orig-retrieval", "vocab.txt"), Path.Combine(_folder.Path, "vocab.txt"));
        using var checkpoint = BlipCheckpoint.Open(path);
        Assert.Equal(["no configuration: 1 heads of 32 assumed for the text", "no configuration: 1 heads of 40 assumed for the image tower"], checkpoint.Notes);
        Assert.Equal(new BlipTokens(118, 119, 4, 0), checkpoint.Config.Tokens);
        Assert.Equal(BlipConventions.Original, checkpoint.Config.Conventions);
    }

    [Fact]
    public void Without_a_vocabulary_only_the_published_one_is_assumed()
    {
        string path = Rewrite("blip-hf-itm", "model.safetensors", (name, add) => add(Original(name)));
        Assert.Contains("a vocabulary of 30524 ids is expected, found 120", Assert.Throws<ConfigFormatException>(() => BlipCheckpoint.Open(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false, true)]
    [InlineData(true, false, true)]
    [InlineData(true, true, true)]
    [InlineData(true, true, false)]
    public void Tied_tensors_may_be_stored_once_or_twice(bool storesMatrix, bool storesDecoderBias, bool storesBias)
    {
        float[] expected = CaptionLogits(Fixture("blip-hf-caption"));
        string path = Rewrite("blip-hf-caption", "model.safetensors", (name, add) =>
        {
            if (name != Predictions + "bias" || storesBias) add(name);
            if (name == WordEmbeddings && storesMatrix) add(Predictions + "decoder.weight");
            if (name == Predictions + "bias" && storesDecoderBias) add(Predictions + "decoder.bias");
        });
        Assert.Equal(expected, CaptionLogits(path));
    }

    [Fact]
    public void Missing_tensors_are_named_as_the_file_would_name_them()
    {
        string path = Rewrite("blip-hf-itm", "model.safetensors", (name, add) =>
        {
            if (name is not ("vision_model.encoder.layers.1.self_attn.qkv.weight" or "text_proj.bias")) add(Original(name));
        });
        using var checkpoint = BlipCheckpoint.Open(path, Itm);
        using var backend = new ReferenceBackend();
        var missing = Assert.Throws<WeightMismatchException>(() => checkpoint.LoadMatcher(backend)).Faults;
        Assert.Equal(["visual_encoder.blocks.1.attn.qkv.weight", "text_proj.bias"], missing.Select(f => f.Key));
    }

    [Fact]
    public void A_plain_file_starts_both_attentions_of_a_comparing_model_but_has_no_head()
    {
        string path = Rewrite("blip-hf-itm", "model.safetensors", (name, add) => add(Original(name)));
        using var checkpoint = BlipCheckpoint.Open(path, Itm);
        using var backend = new ReferenceBackend();
        var missing = Assert.Throws<WeightMismatchException>(() => checkpoint.LoadNlvr(backend)).Faults;
        Assert.Equal(["cls_head.0.weight", "cls_head.0.bias", "cls_head.2.weight", "cls_head.2.bias"], missing.Select(f => f.Key));
    }

    [Fact]
    public void With_a_head_a_plain_file_compares_a_picture_with_itself_as_it_reads_one()
    {
        string path = Rewrite("blip-hf-itm", "model.safetensors", (name, add) =>
        {
            add(name);
            if (name.StartsWith("itm_head.", StringComparison.Ordinal)) add(name.Replace("itm_head.", "cls_head.2.", StringComparison.Ordinal));
            // Any matrix of the right shape will do for the hidden layer.
            if (name.StartsWith("text_encoder.encoder.layer.0.attention.self.query.", StringComparison.Ordinal)) add(name.Replace("text_encoder.encoder.layer.0.attention.self.query.", "cls_head.0.", StringComparison.Ordinal));
        });
        CopyConfig("blip-hf-itm");
        using var checkpoint = BlipCheckpoint.Open(path);
        Assert.Equal([BlipTask.Compare], checkpoint.Tasks);
        using var backend = new ReferenceBackend();
        using var loaded = checkpoint.LoadNlvr(backend);
        using var session = new Session(backend);
        var one = loaded.Model.Vision.Forward(session, Blank(session, 24, 1));
        var two = loaded.Model.Vision.Forward(session, Blank(session, 24, 2));
        float[] logits = new float[2];
        session.CopyOut<float>(loaded.Model.Judge(session, new TextIds([119, 30, 4], 1, 3), two), logits);
        Assert.All(logits, v => Assert.True(float.IsFinite(v)));
        Assert.Throws<ArgumentException>(() => loaded.Model.Judge(session, new TextIds([119, 30, 4], 1, 3), one));
    }

    [Theory]
    [InlineData("blip-hf-caption", BlipTask.Caption)]
    [InlineData("blip-hf-itm", BlipTask.Match)]
    [InlineData("blip-hf-model", BlipTask.Pair)]
    public void A_file_says_what_it_can_be_loaded_as(string name, BlipTask task)
    {
        using var checkpoint = BlipCheckpoint.Open(Fixture(name));
        Assert.Equal(task, checkpoint.Tasks[0]);
        Assert.Equal(BlipConventions.HuggingFace, checkpoint.Config.Conventions);
    }

    [Fact]
    public void A_captioner_is_no_matcher()
    {
        using var checkpoint = BlipCheckpoint.Open(Fixture("blip-hf-caption"));
        using var backend = new ReferenceBackend();
        Assert.Contains(Assert.Throws<WeightMismatchException>(() => checkpoint.LoadMatcher(backend)).Faults, f => f is { Kind: WeightFaultKind.Missing, Key: "itm_head.weight" });
    }

    [Fact]
    public void Clip_and_blip_are_not_taken_for_each_other()
    {
        string clip = Path.Combine(Fixtures.Repository, "tests", "fixtures", "clip", "clip-vit-b");
        Assert.Contains("a BLIP checkpoint", Assert.Throws<WeightFileException>(() => BlipCheckpoint.Open(clip)).Message, StringComparison.Ordinal);
        Assert.Contains("a CLIP checkpoint", Assert.Throws<WeightFileException>(() => ClipCheckpoint.Open(Fixture("blip-hf-itm"))).Message, StringComparison.Ordinal);
    }

    private static string Fixture(string name) => Path.Combine(Fixtures.Repository, "tests", "fixtures", "blip", name, "model.safetensors");

    private static float[] MatchLogits(string path, BlipLoadOptions? options)
    {
        using var backend = new ReferenceBackend();
        using var checkpoint = BlipCheckpoint.Open(path, options);
        using var loaded = checkpoint.LoadMatcher(backend);
        using var session = new Session(backend);
        float[] logits = new float[2];
        session.CopyOut<float>(loaded.Model.MatchLogits(session, new TextIds([3, 30, 59, 4], 1, 4), loaded.Model.Encoder.Vision.Forward(session, Blank(session, 24, 1))), logits);
        return logits;
    }

    private static float[] CaptionLogits(string path)
    {
        using var backend = new ReferenceBackend();
        using var checkpoint = BlipCheckpoint.Open(path);
        using var loaded = checkpoint.LoadCaptioner(backend);
        using var session = new Session(backend);
        var images = loaded.Model.Vision.Forward(session, Blank(session, 32, 1));
        float[] logits = new float[3 * 120];
        session.CopyOut<float>(loaded.Model.Decoder.Logits(session, new TextIds([118, 30, 59], 1, 3), new CrossStates(images)), logits);
        return logits;
    }

    private static Pixels Blank(Session session, int size, int count)
    {
        var pixels = session.TakeFloat(count, size, size, 3);
        session.CopyIn<float>(Enumerable.Range(0, count * size * size * 3).Select(i => (i % 7 * 0.25f) - 0.75f).ToArray(), pixels);
        return new Pixels(pixels);
    }

    /// <summary>A fixture's tensors under other names, in a folder of their own.</summary>
    private string Rewrite(string name, string file, Action<string, Action<string>> rename)
    {
        string path = Path.Combine(_folder.Path, file);
        using var source = SafetensorsFile.Open(Fixture(name));
        var tensors = new List<TensorSource>();
        foreach (var tensor in source.Tensors.Values) rename(tensor.Name, asked => tensors.Add(TensorSource.Copy(tensor, asked)));
        SafetensorsWriter.Write(path, tensors);
        if (tensors.Any(t => t.Name.StartsWith("vision_model.", StringComparison.Ordinal))) CopyConfig(name);
        return path;
    }

    private void CopyConfig(string name) => File.Copy(Path.Combine(Path.GetDirectoryName(Fixture(name))!, "config.json"), Path.Combine(_folder.Path, "config.json"), overwrite: true);

    private static string Original(string name) => name
        .Replace("vision_model.embeddings.class_embedding", "visual_encoder.cls_token", StringComparison.Ordinal)
        .Replace("vision_model.embeddings.position_embedding", "visual_encoder.pos_embed", StringComparison.Ordinal)
        .Replace("vision_model.embeddings.patch_embedding", "visual_encoder.patch_embed.proj", StringComparison.Ordinal)
        .Replace("vision_model.post_layernorm", "visual_encoder.norm", StringComparison.Ordinal)
        .Replace("vision_model.encoder.layers.", "visual_encoder.blocks.", StringComparison.Ordinal)
        .Replace("layer_norm", "norm", StringComparison.Ordinal)
        .Replace("self_attn.qkv", "attn.qkv", StringComparison.Ordinal)
        .Replace("self_attn.projection", "attn.proj", StringComparison.Ordinal);
}
