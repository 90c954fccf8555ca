using VlmKernels.Kernels;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Models.Tests;

public class ClipModelTests
{
    [Theory]
    [InlineData(64, "id 64 of text 1, token 2, is outside the vocabulary of 64")]
    [InlineData(-1, "id -1 of text 1, token 2, is outside the vocabulary of 64")]
    public void Ids_are_checked_before_they_are_copied(int id, string message)
    {
        var error = Assert.Throws<ArgumentException>(() => Encode([1, 2, 3, 4, 5, id], 2, 3));
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_longer_than_the_context_are_refused()
    {
        var error = Assert.Throws<ArgumentException>(() => Encode(new int[9], 1, 9));
        Assert.StartsWith("texts of 9 tokens do not fit the model's context of 8", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_number_of_ids_or_mask_values_is_refused()
    {
        Assert.Throws<ArgumentException>(() => Encode(new int[5], 2, 3));
        Assert.Throws<ArgumentException>(() => Encode(new int[6], 2, 3, new byte[5]));
        Assert.Throws<ArgumentException>(() => Encode([], 0, 3));
    }

    public static TheoryData<string> BackendNames => [.. Backends.Names];

    [Theory]
    [MemberData(nameof(BackendNames))]
    public void Many_texts_give_the_bits_of_each_alone(string backend)
    {
        int[] ids = [.. Enumerable.Range(0, 300 * 4).Select(i => i * 7 % 64)];
        float[] together = Encode(ids, 300, 4, backend: backend, threads: 3);
        float[] alone = Encode(ids[(299 * 4)..], 1, 4, backend: backend, threads: 1);
        Assert.Equal(together[^alone.Length..], alone);
    }

    [Theory]
    [InlineData("clip-vit-a", "positions are for 2×2")]
    [InlineData("clip-rn-a", "pixels must be [batch, 64, 64, 3]")]
    public void Pictures_of_another_size_are_refused_where_positions_are_fixed(string name, string message)
    {
        using var backend = new ReferenceBackend();
        using var checkpoint = ClipCheckpoint.Open(Case(name));
        using var loaded = checkpoint.Load(backend);
        using var session = new Session(backend);
        using var mark = session.Mark();
        var pixels = new Pixels(session.TakeFloat(1, 32, 24, 3));
        string? found = null;
        try
        {
            loaded.Model.EncodeImages(session, pixels);
        }
        catch (ContractException e)
        {
            found = e.Message;
        }
        Assert.Contains(message, found, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("clip-vit-b")]
    [InlineData("clip-rn-a")]
    public void Grey_levels_through_a_table_equal_the_values_themselves(string name)
    {
        using var backend = new ReferenceBackend();
        using var checkpoint = ClipCheckpoint.Open(Case(name));
        using var loaded = checkpoint.Load(backend);
        int size = checkpoint.Config.ImageSize;
        byte[] levels = [.. Enumerable.Range(0, 2 * size * size * 3).Select(i => (byte)(i * 31 % 251))];
        float[] table = [.. Enumerable.Range(0, 3 * 256).Select(i => (i % 256 / 100f) - (i / 256) - 0.5f)];
        float[] values = [.. levels.Select((level, i) => table[(i % 3 * 256) + level])];
        float[] fromLevels = Run(loaded.Model, backend, s =>
        {
            Tensor data = s.TakeBytes(2, size, size, 3), bytes = s.TakeFloat(3, 256);
            s.CopyIn<byte>(levels, data);
            s.CopyIn<float>(table, bytes);
            return new Pixels(data, bytes);
        });
        float[] fromValues = Run(loaded.Model, backend, s =>
        {
            var data = s.TakeFloat(2, size, size, 3);
            s.CopyIn<float>(values, data);
            return new Pixels(data);
        });
        Assert.Equal(fromValues, fromLevels);
    }

    [Fact]
    public void A_missing_tower_says_so()
    {
        using var backend = new PlanBackend();
        var config = ClipSizes.Find("ViT-B/32")!.Config;
        using var text = Weights.WeightLoader.Plan(backend, root => new ClipModel(root, config with { Vision = null }));
        using var session = new Session(backend);
        Assert.Equal((false, true), (text.Model.HasVision, text.Model.HasText));
        Assert.Throws<InvalidOperationException>(() => text.Model.EncodeImages(session, default));
    }

    private static float[] Run(ClipModel model, ReferenceBackend backend, Func<Session, Pixels> upload)
    {
        using var session = new Session(backend);
        using var mark = session.Mark();
        var features = model.EncodeImages(session, upload(session));
        var result = new float[features.Shape.Count];
        session.CopyOut<float>(features, result);
        return result;
    }

    private static float[] Encode(int[] ids, int batch, int length, byte[]? mask = null, string backend = "reference", int threads = 2)
    {
        using var device = Backends.Make(backend, threads);
        using var checkpoint = ClipCheckpoint.Open(Case("clip-vit-b"));
        using var loaded = checkpoint.Load(device);
        using var session = new Session(device);
        using var mark = session.Mark();
        var features = loaded.Model.EncodeText(session, ids, batch, length, mask);
        var result = new float[features.Shape.Count];
        session.CopyOut<float>(features, result);
        return result;
    }

    private static string Case(string name) => Path.Combine(Fixtures.Repository, "tests", "fixtures", "clip", name);
}
