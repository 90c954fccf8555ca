using CsCheck;
using VlmKernels.Kernels;
using VlmKernels.Testing;
using VlmKernels.Weights.Tests.Tree;
using Xunit;

namespace VlmKernels.Weights.Tests.Layouts;

public class LayoutTests
{
    [Fact]
    public void The_first_rule_about_a_name_handles_it_and_other_names_stay()
    {
        var layout = new Layout("test", Layout.Strip("module."), Layout.Ignore("*position_ids"), Layout.Rename("a.{i}.b.*", "x.{i}.y.*"), Layout.Rename("a.*", "never.*"));
        var view = layout.Over("file", [MemoryTensor.Counting("module.a.12.b.weight", 2), MemoryTensor.Counting("a.position_ids", 1), MemoryTensor.Counting("other", 1)]);
        Assert.Equal(["other", "x.12.y.weight"], view.Names.Order());
        Assert.Equal(["a.position_ids"], view.Ignored.Select(t => t.Key));
        Assert.Equal("a.3.b.bias", view.NameInFile("x.3.y.bias"));
        Assert.Equal("other", view.NameInFile("other"));
    }

    [Fact]
    public void A_fused_tensor_splits_into_equal_rows()
    {
        var layout = new Layout("test", Layout.SplitRows("in_proj_*", "q.*", "k.*", "v.*"));
        var view = layout.Over("file", [MemoryTensor.Counting("in_proj_weight", 6, 2), MemoryTensor.Counting("in_proj_bias", 6)]);
        Assert.Equal([4, 5, 6, 7], Values(view, "k.weight"));
        Assert.Equal([4, 5], Values(view, "v.bias"));
        Assert.Equal([2L, 2L], view.Find("q.weight")!.Shape);
    }

    [Fact]
    public void A_fused_tensor_that_does_not_divide_is_reported_as_it_is()
    {
        var layout = new Layout("test", Layout.SplitRows("in_proj_*", "q.*", "k.*", "v.*"));
        var view = layout.Over("file", [MemoryTensor.Counting("in_proj_bias", 7)]);
        var error = Assert.Throws<WeightMismatchException>(() => WeightLoader.Check(view, root => root["q"].Values("bias", 2)));
        Assert.Contains("expected [2], found [7] F32 (as q.bias)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_tensors_of_one_name_are_refused()
    {
        var layout = new Layout("test", Layout.Strip("module."));
        var error = Assert.Throws<WeightFileException>(() => layout.Over("file", [MemoryTensor.Counting("module.a", 1), MemoryTensor.Counting("a", 1)]));
        Assert.Equal("module.a", error.Found[..8]);
    }

    [Fact]
    public void A_transposed_matrix_reads_the_same_in_pieces() => Gen.Select(Gen.Int[1, 300], Gen.Int[1, 9], Gen.Int[0, 50], Gen.Int[1, 400]).Sample((inputs, outputs, first, count) =>
    {
        var view = new Layout("test", Layout.Transpose("p", "w")).Over("file", [MemoryTensor.Counting("p", inputs, outputs)]);
        float[] whole = [.. Enumerable.Range(0, inputs * outputs).Select(i => (float)(((i % inputs) * outputs) + (i / inputs)))];
        first = Math.Min(first, whole.Length - 1);
        var part = new float[Math.Min(count, whole.Length - first)];
        view.Find("w")!.Read(first, part);
        return whole.AsSpan(first, part.Length).SequenceEqual(part);
    });

    [Theory]
    [InlineData("clip-vit-d-flat", "OpenAI layout")]
    [InlineData("clip-vit-d-custom", "open_clip custom text layout")]
    [InlineData("clip-vit-b", "HF layout")]
    public void Published_layouts_give_the_names_of_the_model(string name, string layout)
    {
        using var checkpoint = Checkpoint.Open(Path.Combine(Fixtures.Repository, "tests", "fixtures", "clip", name));
        var kind = CheckpointKind.Recognise(checkpoint.Tensors.Keys);
        Assert.Equal((layout, true), (kind.Layout?.Name, kind.IsSupported));
        var names = kind.Layout!.Over(checkpoint.Path, checkpoint.Tensors.Values).Names;
        Assert.All(names, n => Assert.Matches("^(vision_model|text_model|visual_projection|text_projection|logit_scale|logit_bias)", n));
        Assert.Contains("text_model.encoder.layers.0.self_attn.v_proj.bias", names);
        Assert.Contains("visual_projection.weight", names);
    }

    [Fact]
    public void Entries_that_are_no_weights_are_listed()
    {
        using var checkpoint = Checkpoint.Open(Path.Combine(Fixtures.Repository, "tests", "fixtures", "clip", "clip-rn-b"));
        var view = CheckpointKind.Recognise(checkpoint.Tensors.Keys).Layout!.Over(checkpoint.Path, checkpoint.Tensors.Values);
        Assert.Contains(view.Ignored, t => t.Key == "input_resolution");
        Assert.Contains(view.Ignored, t => t.Key == "visual.layer1.0.bn1.num_batches_tracked");
        Assert.DoesNotContain(view.Names, n => n.EndsWith("num_batches_tracked", StringComparison.Ordinal));
    }

    private static float[] Values(LayoutView view, string name)
    {
        var tensor = view.Find(name, new Shape(1))!;
        var values = new float[tensor.Count];
        tensor.Read(0, values);
        return values;
    }
}
