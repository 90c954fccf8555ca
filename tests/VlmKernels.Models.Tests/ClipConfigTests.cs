using System.Text;
using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Testing;
using VlmKernels.Weights;
using Xunit;

namespace VlmKernels.Models.Tests;

public class ClipConfigTests
{
    [Fact]
    public void An_empty_hf_config_has_the_class_defaults()
    {
        var config = Hf("{}");
        Assert.Equal(new TransformerConfig(768, 3072, 12, 12, Activation.QuickGelu), config.Vision!.Block);
        Assert.Equal((224, 32, 512, PositionResizing.AtRun), (config.Vision.ImageSize, config.Vision.PatchSize, config.Vision.ProjectionSize, config.Vision.Resizing));
        Assert.Equal(new TransformerConfig(512, 2048, 12, 8, Activation.QuickGelu), config.Text!.Block);
        Assert.Equal((49408, 77, TextPooling.EndOfText, 49407), (config.Text.Vocabulary, config.Text.Context, config.Text.Pooling, config.Text.EndOfText));
    }

    [Fact]
    public void A_dict_section_replaces_the_plain_one_class_defaults_included()
    {
        const string Json = """
            {"text_config": {"eos_token_id": 2, "num_attention_heads": 16, "hidden_act": "gelu"}, "text_config_dict": {"hidden_size": 768, "num_attention_heads": 12},
             "vision_config": {"hidden_act": "gelu", "image_size": 336}, "vision_config_dict": null}
            """;
        var config = Hf(Json);
        Assert.Equal((768, 12, Activation.QuickGelu, TextPooling.EndOfText, 49407),
            (config.Text!.Block.HiddenSize, config.Text.Block.Heads, config.Text.Block.Activation, config.Text.Pooling, config.Text.EndOfText));
        Assert.Equal((Activation.Gelu, 336), (config.Vision!.Block.Activation, config.Vision.ImageSize));
    }

    [Fact]
    public void The_legacy_end_of_text_id_means_the_largest_id() => Assert.Equal(TextPooling.LargestId, Hf("""{"text_config": {"eos_token_id": 2}}""").Text!.Pooling);

    [Fact]
    public void A_list_of_one_end_of_text_id_counts_as_the_id() => Assert.Equal(63, Hf("""{"text_config": {"eos_token_id": [63]}}""").Text!.EndOfText);

    [Fact]
    public void An_epsilon_of_open_clip_that_is_not_finite_is_refused()
        => Assert.Throws<ConfigFormatException>(() => OpenClip("""{"text_cfg": {"norm_kwargs": {"eps": 1e999}}}"""));

    [Theory]
    [InlineData("""{"model_type": "clip_text_model", "hidden_size": 640, "projection_dim": 640}""", false, true)]
    [InlineData("""{"model_type": "clip_vision_model", "hidden_size": 640}""", true, false)]
    public void A_single_tower_has_a_flat_config(string json, bool vision, bool text)
    {
        var config = Hf(json);
        Assert.Equal((vision, text), (config.Vision is not null, config.Text is not null));
        Assert.Equal(640, config.Vision?.Block.HiddenSize ?? config.Text?.Block.HiddenSize);
    }

    [Theory]
    [InlineData("""{"model_type": "blip"}""", "\"model_type\": expected clip, found blip")]
    [InlineData("""{"text_config": {"hidden_size": "x"}}""", "\"text_config.hidden_size\": expected a whole number, found \"x\"")]
    [InlineData("""{"text_config": {"hidden_size": 0}}""", "\"text_config.hidden_size\": expected a number above 0, found 0")]
    [InlineData("""{"vision_config": 3}""", "\"vision_config\": expected an object, found 3")]
    [InlineData("""{"vision_config": {"hidden_act": "mish"}}""", "\"vision_config.hidden_act\": expected quick_gelu, gelu, gelu_pytorch_tanh, relu or silu, found \"mish\"")]
    [InlineData("""{"text_config": {"layer_norm_eps": 1e999}}""", "\"text_config.layer_norm_eps\": expected a finite number of 0 or more, found 1e999")]
    [InlineData("""{"vision_config": {"layer_norm_eps": -1}}""", "\"vision_config.layer_norm_eps\": expected a finite number of 0 or more, found -1")]
    [InlineData("""{"text_config": {"eos_token_id": [2, 3]}}""", "\"text_config.eos_token_id\": expected one whole number, found [2, 3]")]
    [InlineData("[1]", "expected a JSON object, found Array")]
    [InlineData("{", "not a JSON file")]
    public void A_broken_config_names_file_and_key(string json, string message)
    {
        var error = Assert.Throws<ConfigFormatException>(() => Hf(json));
        Assert.StartsWith("config.json: " + message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_clip_sizes_follow_its_rules()
    {
        const string Json = """
            {"model_cfg": {"embed_dim": 1024, "vision_cfg": {"image_size": 224, "layers": 40, "width": 1408, "head_width": 88, "mlp_ratio": 4.3637, "patch_size": 14},
             "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 1024, "heads": 16, "layers": 24}}}
            """;
        var config = OpenClip(Json);
        Assert.Equal(new TransformerConfig(1408, 6144, 40, 16, Activation.Gelu), config.Vision!.Block);
        Assert.Equal("CLIP ViT-g/14", ClipSizes.Describe(config));
        Assert.Equal((TextPooling.LargestId, true, PositionResizing.AtLoad), (config.Text!.Pooling, config.Text.IsCausal, config.Text.Resizing));
    }

    [Fact]
    public void Open_clip_ResNets_have_a_list_of_layers()
    {
        var config = OpenClip("""{"embed_dim": 640, "quick_gelu": true, "vision_cfg": {"image_size": 288, "layers": [4, 6, 10, 6], "width": 80, "patch_size": null}, "text_cfg": {"width": 640, "heads": 10}}""");
        Assert.Equal((80, 40, 288, 640), (config.ResNet!.Width, config.ResNet.Heads, config.ResNet.ImageSize, config.ResNet.ProjectionSize));
        Assert.Equal("CLIP RN50x4", ClipSizes.Describe(config));
        Assert.Equal(Activation.QuickGelu, config.Text!.Block.Activation);
    }

    [Theory]
    [InlineData("eos", TextPooling.EndOfText)]
    [InlineData("first", TextPooling.First)]
    [InlineData("last", TextPooling.Last)]
    public void Open_clip_pools_where_the_config_says(string pool, TextPooling expected)
    {
        var text = OpenClip("""{"text_cfg": {"pool_type": "POOL", "eos_id": 5, "no_causal_mask": true}}""".Replace("POOL", pool, StringComparison.Ordinal)).Text!;
        Assert.Equal((expected, 5, false), (text.Pooling, text.EndOfText, text.IsCausal));
    }

    [Theory]
    [InlineData("""{"vision_cfg": {"timm_model_name": "vit_base"}}""", "vision_cfg.timm_model_name")]
    [InlineData("""{"vision_cfg": {"ls_init_value": 1e-5}}""", "vision_cfg.ls_init_value")]
    [InlineData("""{"vision_cfg": {"pool_type": "avg"}}""", "vision_cfg.pool_type")]
    [InlineData("""{"text_cfg": {"hf_model_name": "roberta-base"}}""", "text_cfg.hf_model_name")]
    [InlineData("""{"text_cfg": {"embed_cls": true}}""", "text_cfg.embed_cls")]
    [InlineData("""{"multimodal_cfg": {}}""", "multimodal_cfg")]
    public void Open_clip_settings_that_are_not_built_are_refused_by_name(string json, string key)
    {
        var error = Assert.Throws<ConfigFormatException>(() => OpenClip(json));
        Assert.Contains($"\"{key}\"", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("is not supported by this version", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_that_are_off_are_accepted()
        => Assert.NotNull(OpenClip("""{"vision_cfg": {"timm_model_name": "", "attentional_pool": false, "pool_type": "tok"}, "text_cfg": {"proj_bias": false, "act_kwargs": {}}}""").Vision);

    [Theory]
    [InlineData("clip-vit-a", 64, 2, 1, 16, 8, 32)]
    [InlineData("clip-txt-edge-openai", 64, 1, 1, 16, 8, 24)]
    public void A_bare_file_tells_its_sizes(string name, int width, int layers, int heads, int image, int patch, int projection)
    {
        using var checkpoint = ClipCheckpoint.Open(Case(name));
        var vision = checkpoint.Config.Vision!;
        Assert.Null(checkpoint.ConfigFile);
        Assert.Equal(new TransformerConfig(width, 4 * width, layers, heads, Activation.QuickGelu), vision.Block);
        Assert.Equal((image, patch, projection, PositionResizing.None), (vision.ImageSize, vision.PatchSize, vision.ProjectionSize, vision.Resizing));
        Assert.Contains(checkpoint.Notes, n => n.Contains("quick_gelu", StringComparison.Ordinal));
    }

    [Fact]
    public void A_bare_ResNet_tells_its_sizes()
    {
        using var checkpoint = ClipCheckpoint.Open(Case("clip-rn-b"));
        var config = checkpoint.Config.ResNet!;
        Assert.Equal([2, 1, 1, 1], config.Layers);
        Assert.Equal((4, 2, 64, 18), (config.Width, config.Heads, config.ImageSize, config.ProjectionSize));
        Assert.Equal("CLIP ResNet 2-1-1-1, width 4, 64 px (OpenAI ResNet layout)", checkpoint.Description);
    }

    [Fact]
    public void An_activation_of_the_caller_wins()
    {
        using var checkpoint = ClipCheckpoint.Open(Case("clip-vit-a"), new ClipLoadOptions { Activation = Activation.Gelu });
        Assert.Equal((Activation.Gelu, Activation.Gelu), (checkpoint.Config.Vision!.Block.Activation, checkpoint.Config.Text!.Block.Activation));
    }

    [Fact]
    public void Wide_ViTs_without_a_config_get_sixteen_heads()
    {
        using var folder = new CaseCopy();
        long[] patches = [1280, 3, 14, 14];
        (string, long[])[] shapes =
        [
            ("visual.conv1.weight", patches), ("visual.positional_embedding", [257, 1280]), ("visual.proj", [1280, 1024]), ("visual.transformer.resblocks.0.mlp.c_fc.weight", [5120, 1]),
            ("transformer.resblocks.0.attn.in_proj_weight", [192, 64]), ("transformer.resblocks.0.mlp.c_fc.weight", [256, 64]), ("token_embedding.weight", [9, 64]),
            ("positional_embedding", [77, 64]), ("text_projection", [64, 1024]),
        ];
        string path = Path.Combine(folder.Path, "open_clip_model.safetensors");
        SafetensorsWriter.Write(path, shapes.Select(s => TensorSource.FromBytes(s.Item1, FileDType.F32, s.Item2, new byte[4 * s.Item2.Aggregate(1L, (a, b) => a * b)])));
        using var checkpoint = ClipCheckpoint.Open(path);
        Assert.Equal((16, 224, Activation.Gelu), (checkpoint.Config.Vision!.Block.Heads, checkpoint.Config.ImageSize, checkpoint.Config.Vision.Block.Activation));
        Assert.Contains(checkpoint.Notes, n => n.Contains("16 heads", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"text_config": {"num_attention_heads": 7}}""", "a text transformer of width 512 with 7 heads")]
    [InlineData("""{"vision_config": {"num_hidden_layers": 2000000000}}""", "a vision transformer of 2000000000 layers with MLPs of 3072")]
    [InlineData("""{"vision_config": {"image_size": 2000000000}}""", "patches of 32 pixels for pictures of 2000000000")]
    [InlineData("""{"vision_config": {"image_size": 16}}""", "patches of 32 pixels for pictures of 16")]
    [InlineData("""{"vision_config": {"image_size": 16384, "patch_size": 1}}""", "positions of 16384×16384 patches of width 768")]
    [InlineData("""{"vision_config": {"image_size": 16384, "patch_size": 16384}}""", "patches of 16384 pixels for a width of 768")]
    [InlineData("""{"vision_config": {"hidden_size": 1048576, "num_attention_heads": 16, "image_size": 16384, "patch_size": 16384}}""", "patches of 16384 pixels for a width of 1048576")]
    [InlineData("""{"text_config": {"max_position_embeddings": 1048576}}""", "positions of 1048576 tokens of width 512")]
    [InlineData("""{"text_config": {"vocab_size": 2147483647}}""", "a vocabulary of 2147483647 and a context of 77")]
    public void Sizes_that_cannot_be_are_refused(string json, string message)
    {
        var error = Assert.Throws<ContractException>(() => Hf(json).Validate());
        Assert.Equal("CLIP: the configuration asks for " + message, error.Message);
    }

    [Fact]
    public void Sizes_that_cannot_be_name_the_configuration()
    {
        using var copy = new CaseCopy("clip-vit-c-oc-up");
        Grow(copy, 16384);
        string message = Assert.Throws<ConfigFormatException>(() => ClipCheckpoint.Open(copy.Path)).Message;
        Assert.Equal($"{Path.Combine(copy.Path, "open_clip_config.json")}: CLIP: the configuration asks for positions of 16384×16384 patches of width 36", message);
    }

    [Fact]
    public void Positions_are_not_resampled_for_a_checkpoint_that_does_not_fit()
    {
        using var copy = new CaseCopy("clip-vit-c-oc-up");
        Grow(copy, 1000);
        using var checkpoint = ClipCheckpoint.Open(copy.Path);
        using var backend = new ReferenceBackend();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<WeightMismatchException>(() => checkpoint.Load(backend));
        // One table of placeholders; resampling takes several of them in double.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2L * 4 * 36 * 1_000_001);
    }

    private static void Grow(CaseCopy copy, int size)
    {
        copy.Replace("open_clip_config.json", "\"image_size\": 24", $"\"image_size\": {size}");
        copy.Replace("open_clip_config.json", "\"patch_size\": 8", "\"patch_size\": 1");
    }

    [Theory]
    [InlineData("vit-b/32", "ViT-B/32")]
    [InlineData("ViT-L-14-336", "ViT-L/14@336px")]
    [InlineData("rn50X4", "RN50x4")]
    public void Sizes_are_found_by_either_spelling(string name, string found) => Assert.Equal(found, ClipSizes.Find(name)?.Name);

    [Theory]
    [InlineData(TextPooling.LargestId, new[] { 1, 0 })]
    [InlineData(TextPooling.EndOfText, new[] { 2, 0 })]
    [InlineData(TextPooling.First, new[] { 0, 0 })]
    [InlineData(TextPooling.Last, new[] { 3, 3 })]
    public void The_pooled_token_is_found_on_the_host(TextPooling pooling, int[] expected)
    {
        var config = new ClipTextConfig(new TransformerConfig(4, 4, 1, 1, Activation.Gelu), 10, 4, 4, pooling, EndOfText: 7);
        var tokens = new int[2];
        config.PooledTokens([1, 9, 7, 7, 3, 2, 3, 1], 4, tokens);
        Assert.Equal(expected, tokens);
    }

    private static string Case(string name) => Path.Combine(Fixtures.Repository, "tests", "fixtures", "clip", name);

    private static ClipConfig Hf(string json) => ClipHfConfig.Parse(Encoding.UTF8.GetBytes(json));

    private static ClipConfig OpenClip(string json) => OpenClipModelConfig.Parse(Encoding.UTF8.GetBytes(json));
}
