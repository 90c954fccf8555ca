using VlmKernels.Kernels;
using Xunit;

namespace VlmKernels.Weights.Tests.Tree;

public class WeightTreeTests
{
    private static readonly Layout Plain = new("plain layout");

    [Fact]
    public void Everything_that_does_not_fit_is_reported_at_once()
    {
        var view = Plain.Over("clip/model.safetensors", [
            MemoryTensor.Counting("visual_projection.weight", 3, 2), MemoryTensor.Counting("layers.1.extra", 4), MemoryTensor.Counting("layers.0.bias", 2)]);
        var backend = new CountingBackend();
        var error = Assert.Throws<WeightMismatchException>(() => WeightLoader.Load(view, backend, root => new Model(root), "CLIP ViT-B/32 (HF layout)"));
        string[] lines =
        [
            "clip/model.safetensors does not fit CLIP ViT-B/32 (HF layout): 3 problems",
            "  shape     visual_projection.weight    expected [2, 3], found [3, 2] F32 in a.safetensors",
            "  missing   layers.0.weight             expected [2]",
            "  unused    layers.1.extra              found [4] F32 in a.safetensors",
        ];
        Assert.Equal(string.Join('\n', lines), error.Message);
        Assert.Equal([WeightFaultKind.Shape, WeightFaultKind.Missing, WeightFaultKind.Unused], error.Faults.Select(f => f.Kind));
        Assert.Empty(backend.Packed);
        Assert.Equal(0, backend.Alive);
    }

    [Fact]
    public void A_huge_tensor_that_is_missing_ends_the_check_instead_of_the_memory()
    {
        var view = Plain.Over("a", []);
        var error = Assert.Throws<WeightMismatchException>(() => WeightLoader.Check(view, root => new[] { root.Values("small", 2), root.Values("large", 1 << 20, 1 << 20) }));
        Assert.Equal(["small", "large"], error.Faults.Select(f => f.Key));
    }

    [Fact]
    public void Hostile_names_and_thousands_of_faults_do_not_make_a_huge_message()
    {
        string huge = "a\u001b[2J" + new string('x', 2_000_000);
        var view = Plain.Over("a", [.. Enumerable.Range(0, 5000).Select(i => MemoryTensor.Counting($"b{i}", 1)), MemoryTensor.Counting(huge, 1)]);
        var error = Assert.Throws<WeightMismatchException>(() => WeightLoader.Check<object>(view, root => root));
        Assert.InRange(error.Message.Length, 1000, 10_000);
        Assert.Equal(52, error.Message.Split('\n').Length);
        Assert.Contains("'a\\u001b[2Jxxx", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("\n  … and 4951 more", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', error.Message);
        Assert.Equal(5001, error.Faults.Count);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(100)]
    public void A_scalar_outside_its_range_names_file_and_key(float value)
    {
        var view = Plain.Over("a", [new MemoryTensor("logit_scale", [value], [])]);
        var error = Assert.Throws<WeightFileException>(() => WeightLoader.Load<object>(view, new CountingBackend(), root => root.Scalar("logit_scale", most: 88)));
        Assert.Equal(("a.safetensors", "logit_scale"), (error.File, error.Key));
        Assert.StartsWith("a.safetensors: 'logit_scale': expected a number from -88 to 88, found ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_single_file_is_named_once()
    {
        var view = Plain.Over("a.safetensors", [MemoryTensor.Counting("b", 2)]);
        var error = Assert.Throws<WeightMismatchException>(() => WeightLoader.Check(view, root => root.Values("a", 2)));
        Assert.Equal("a.safetensors does not fit the model: 2 problems\n  missing   a    expected [2]\n  unused    b    found [2] F32", error.Message);
    }

    [Fact]
    public void A_missing_tensor_is_named_as_the_file_would_name_it()
    {
        var layout = new Layout("test", Layout.SplitRows("blocks.{i}.in_proj_*", "layers.{i}.q.*", "layers.{i}.k.*"));
        var view = layout.Over("a.safetensors", []);
        var error = Assert.Throws<WeightMismatchException>(() => WeightLoader.Check(view, root => root["layers"][7]["k"].Values("bias", 5)));
        Assert.Equal("a.safetensors does not fit the model: 1 problem\n  missing   blocks.7.in_proj_bias    expected [5] (as layers.7.k.bias)", error.Message);
    }

    [Fact]
    public void A_fitting_checkpoint_is_packed_and_its_pages_are_let_go()
    {
        MemoryTensor matrix = MemoryTensor.Counting("visual_projection.weight", 2, 3), bias = MemoryTensor.Counting("layers.0.bias", 2), weight = MemoryTensor.Counting("layers.0.weight", 2);
        var backend = new CountingBackend();
        using (var loaded = WeightLoader.Load(Plain.Over("a", [matrix, bias, weight]), backend, root => new Model(root)))
        {
            Assert.Equal(10, loaded.Parameters);
            Assert.Equal([0, 1, 2, 3, 4, 5], Assert.Single(backend.Packed));
            Assert.Equal(2, backend.Alive);
        }
        Assert.Equal(0, backend.Alive);
        Assert.Equal([1, 1, 1], new[] { matrix, bias, weight }.Select(t => t.Releases));
    }

    [Fact]
    public void A_constructor_that_fails_gives_back_what_it_packed()
    {
        var view = Plain.Over("a", [MemoryTensor.Counting("a", 2)]);
        var backend = new CountingBackend();
        int runs = 0;
        Assert.Throws<InvalidOperationException>(() => WeightLoader.Load<object>(view, backend, root =>
        {
            root.Vector("a", 2);
            return ++runs == 1 ? this : throw new InvalidOperationException();
        }));
        Assert.Equal(0, backend.Alive);
        Assert.Single(backend.Uploaded);
    }

    [Theory]
    [InlineData(new long[] { })]
    [InlineData(new long[] { 1 })]
    [InlineData(new long[] { 1, 1 })]
    public void A_scalar_may_be_stored_with_or_without_an_extent(long[] shape)
    {
        var view = Plain.Over("a", [new MemoryTensor("logit_scale", [4.5f], shape)]);
        float value = 0;
        using var loaded = WeightLoader.Load<object>(view, new CountingBackend(), root => value = root.Scalar("logit_scale"));
        Assert.Equal(4.5f, value);
    }

    [Theory]
    [InlineData(new long[] { 4, 18 }, true)]
    [InlineData(new long[] { 4, 2, 3, 3 }, true)]
    [InlineData(new long[] { 1, 4, 18 }, true)]
    [InlineData(new long[] { 4, 18, 1, 1 }, true)]
    [InlineData(new long[] { 18, 4 }, false)]
    [InlineData(new long[] { 4, 2, 9 }, false)]
    [InlineData(new long[] { 72 }, false)]
    public void Kernels_may_be_flat_and_outer_extents_of_one_do_not_count(long[] shape, bool fits)
    {
        var view = Plain.Over("a", [MemoryTensor.Counting("w", shape)]);
        if (fits) WeightLoader.Check<object>(view, root => root.Matrix("w", 4, 18));
        else Assert.Throws<WeightMismatchException>(() => WeightLoader.Check<object>(view, root => root.Matrix("w", 4, 18)));
    }

    [Fact]
    public void Buffers_are_no_parameters_and_a_tensor_counts_once()
    {
        using var plan = new PlanBackend();
        using var loaded = WeightLoader.Plan<object>(plan, root => (root.Buffer("mean", 7), root.Values("a", 3), root.Values("a", 3)));
        Assert.Equal(3, loaded.Parameters);
    }

    [Fact]
    public void Stacked_and_scaled_matrices_read_across_their_parts()
    {
        MatrixSource a = new ArrayMatrix([1, 2, 3, 4], 2, 2), b = new ArrayMatrix([5, 6], 1, 2), c = new ArrayMatrix([7, 8, 9, 10], 2, 2);
        var stack = new ScaledMatrix(new StackedMatrix(a, b, c), [1, 10, 100, 1000, 10000]);
        float[] whole = [1, 2, 30, 40, 500, 600, 7000, 8000, 90000, 100000];
        for (int row = 0; row < 5; row++)
        {
            for (int count = 0; row + count <= 5; count++)
            {
                var part = new float[count * 2];
                stack.Read(row, count, part);
                Assert.Equal(whole[(row * 2)..((row + count) * 2)], part);
            }
        }
    }

    [Fact]
    public void Random_weights_depend_on_seed_and_name_only()
    {
        var source = new RandomWeights(7);
        float[] whole = Read(source, "layer.weight", new Shape(9, 5), 0, 45);
        Assert.Equal(whole[11..19], Read(new RandomWeights(7), "layer.weight", new Shape(9, 5), 11, 8));
        Assert.NotEqual(whole, Read(new RandomWeights(8), "layer.weight", new Shape(9, 5), 0, 45));
        Assert.NotEqual(whole, Read(source, "layer2.weight", new Shape(9, 5), 0, 45));
        Assert.All(Read(source, "norm.weight", new Shape(100), 0, 100), v => Assert.InRange(v, 0.9f, 1.1f));
        Assert.All(Read(source, "norm.bias", new Shape(100), 0, 100), v => Assert.InRange(v, -0.1f, 0.1f));
        Assert.InRange(whole.Average(), -0.3f, 0.3f);
    }

    private static float[] Read(RandomWeights source, string name, Shape shape, int first, int count)
    {
        var values = new float[count];
        source.Find(name, shape)!.Read(first, values);
        return values;
    }

    private sealed class Model
    {
        public Model(WeightNode root)
        {
            var projection = root["visual_projection"];
            var layer = root["layers"][0];
            Projection = projection.Pack(WeightUse.Linear, projection.Matrix("weight", 2, 3), null);
            Weight = layer.Vector("weight", 2);
            Bias = layer.Values("bias", 2);
        }

        public PackedWeight Projection { get; }

        public Tensor Weight { get; }

        public float[] Bias { get; }
    }
}
