using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Weights.Tests.Layouts;

public class CheckpointKindTests
{
    private const string OpenAi = "visual.conv1.weight,transformer.resblocks.0.attn.in_proj_weight";

    [Theory]
    [InlineData("vision_model.pre_layrnorm.weight", "HF layout")]
    [InlineData("text_projection.weight,text_model.encoder.layers.0.self_attn.q_proj.weight", "HF layout")]
    [InlineData(OpenAi, "OpenAI layout")]
    [InlineData("module.visual.conv1.weight,module.transformer.resblocks.0.attn.in_proj_weight", "OpenAI layout")]
    [InlineData(OpenAi + ",visual.layer1.0.conv1.weight", "OpenAI ResNet layout")]
    [InlineData("visual.conv1.weight,text.transformer.resblocks.0.ln_1.weight", "open_clip custom text layout")]
    [InlineData("visual.conv1.weight,visual.layer1.0.conv1.weight,text.transformer.resblocks.0.ln_1.weight", "open_clip custom text ResNet layout")]
    public void Clip_is_recognised_in_every_layout(string names, string layout)
    {
        var kind = CheckpointKind.Recognise(names.Split(','));
        Assert.Equal(("CLIP", layout), (kind.Family, kind.Layout?.Name));
    }

    [Theory]
    [InlineData("visual_encoder.cls_token,text_encoder.embeddings.x", "original layout")]
    [InlineData("module.visual_encoder.cls_token,module.text_decoder.bert.embeddings.x", "original layout")]
    [InlineData("vision_model.embeddings.class_embedding,text_encoder.layer.0.crossattention.x", "HF layout")]
    public void Blip_is_recognised_in_both_layouts(string names, string layout)
    {
        var kind = CheckpointKind.Recognise(names.Split(','));
        Assert.Equal(("BLIP", layout), (kind.Family, kind.Layout?.Name));
    }

    [Theory]
    [InlineData("global_mat_weight,clip.visual.conv1.weight", "X-CLIP (paper)")]
    [InlineData("mit.positional_embedding," + OpenAi, "X-CLIP (Microsoft)")]
    [InlineData("mit.position_embedding,vision_model.pre_layrnorm.weight", "X-CLIP (Microsoft, HF)")]
    [InlineData("text.cls_emb,text_decoder.cross_attn.0.ln_1.weight,visual.conv1.weight", "CoCa")]
    [InlineData("temperature,vision_model.embeddings.convolution.weight", "ALIGN")]
    [InlineData("qformer.layernorm.weight,vision_model.embeddings.class_embedding", "BLIP-2 or InstructBLIP")]
    [InlineData("vision_model.head.probe", "SigLIP")]
    [InlineData("visual.trunk.patch_embed.proj.weight,text.transformer.resblocks.0.ln_1.weight", "open_clip with a timm image tower")]
    [InlineData("visual.conv1.weight,text.transformer.embeddings.word_embeddings.weight", "open_clip with an HF text tower")]
    [InlineData("multi_modal_projector.linear_1.weight,vision_tower.vision_model.pre_layrnorm.weight", "LLaVA")]
    public void Other_families_are_refused_by_name(string names, string family)
    {
        var kind = CheckpointKind.Recognise(names.Split(','));
        Assert.Equal((family, false), (kind.Family, kind.IsSupported));
        Assert.EndsWith($"{family}, which is not supported by this version", kind.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("visual.transformer.resblocks.0.ls_1.gamma", "LayerScale")]
    [InlineData("transformer.resblocks.0.attn.ln_q.weight", "query and key norms")]
    [InlineData("transformer.resblocks.0.attn.logit_scale", "scaled cosine attention")]
    public void Extras_of_open_clip_blocks_are_refused_by_name(string extra, string meaning)
    {
        var kind = CheckpointKind.Recognise([.. OpenAi.Split(','), extra]);
        Assert.False(kind.IsSupported);
        Assert.Contains(meaning, kind.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Unknown_names_say_so() => Assert.Equal("no known architecture has tensors of these names", CheckpointKind.Recognise(["a", "b"]).Reason);

    [Fact]
    public void Checkpoints_of_other_families_are_never_taken_for_supported_ones()
    {
        foreach (string family in Fixtures.Roots.Where(Directory.Exists).SelectMany(Directory.EnumerateDirectories).Where(f => Path.GetFileName(f) is not ("clip" or "blip" or "zoo")))
        {
            // Not below the case folders: a Flamingo keeps its image tower there, which is a CLIP.
            foreach (string file in Directory.EnumerateDirectories(family).SelectMany(c => Directory.EnumerateFiles(c, "*model.safetensors")))
            {
                using var checkpoint = Checkpoint.Open(file);
                Assert.False(CheckpointKind.Recognise(checkpoint.Tensors.Keys).IsSupported, file);
            }
        }
    }
}
