using VlmKernels.Kernels;
using VlmKernels.Kernels.Cpu;
using VlmKernels.Weights;
using Xunit;

namespace VlmKernels.Models.Tests;

/// <summary>What docs/architecture.md promises of every model, for BLIP: bits that do not depend on company, and a steady state without allocation.</summary>
public sealed class BlipPromiseTests
{
    private const int Size = 40, Length = 9, Vocabulary = 100;

    private static readonly BlipConfig Config = new(
        new BlipVisionConfig(new TransformerConfig(72, 200, 2, 3, Activation.Gelu, 1e-6f), Size, 8, PositionResizing.AtLoadPlain),
        new MedConfig(new TransformerConfig(48, 130, 2, 2, Activation.Gelu, 1e-12f), Vocabulary, 40), new BlipTokens(98, 99, 4, 0)) { MatchSize = 20, AnswerCrossWidth = 48 };

    public static TheoryData<string> TierNames => new(Tiers.Available.Select(t => t.Name()));

    [Theory]
    [MemberData(nameof(TierNames))]
    public void A_match_has_the_same_bits_alone_in_a_batch_and_on_any_number_of_threads(string tier)
    {
        float[] expected = Match(tier, threads: 1, batch: 16, first: 0);
        foreach (int threads in (int[])[2, 3]) Assert.Equal(expected, Match(tier, threads, batch: 16, first: 0));
        foreach (int item in (int[])[0, 7, 15]) Assert.Equal(expected[(item * 2)..][..2], Match(tier, threads: 2, batch: 1, first: item));
        Assert.Equal(expected[10..24], Match(tier, threads: 2, batch: 7, first: 5));
    }

    [Theory]
    [MemberData(nameof(TierNames))]
    public void Captions_and_their_scores_are_the_same_alone_and_in_a_batch(string tier)
    {
        var options = Config.WithTokens(BlipConventions.Original.Captions) with { MaxLength = 12, MinLength = 3 };
        var together = Caption(tier, options, batch: 4, first: 0);
        for (int i = 0; i < 4; i++)
        {
            var alone = Assert.Single(Caption(tier, options, batch: 1, first: i));
            Assert.Equal(together[i].Tokens, alone.Tokens);
            Assert.Equal(together[i].Score, alone.Score);
        }
    }

    [Theory]
    [MemberData(nameof(TierNames))]
    public void Steps_through_the_caches_give_the_bits_of_the_whole_text(string tier)
    {
        using var backend = Make(tier, 2);
        using var loaded = WeightLoader.Load(new RandomWeights(3), backend, root => new BlipCaptioner(root, Config));
        using var session = new Session(backend);
        var (decoder, images) = (loaded.Model.Decoder, loaded.Model.Vision.Forward(session, Pictures(session, 2, 0)));
        int[] ids = [98, 5, 6, 7, 8, 98, 9, 10, 11, 12];
        float[] whole = new float[2 * 5 * Vocabulary], step = new float[2 * Vocabulary];
        session.CopyOut<float>(decoder.Logits(session, new TextIds(ids, 2, 5), new CrossStates(images)), whole);
        using var state = decoder.CreateState(session, 2, 1, 5);
        decoder.LookAt(session, state, images);
        for (int t = 1; t < 5; t++)
        {
            using var mark = session.Mark();
            var tokens = t == 1 ? state.PutPrompts(session, [ids[0], ids[1], ids[5], ids[6]], [2, 2]) : state.PutTokens(session, [ids[t], ids[5 + t]]);
            session.CopyOut<float>(decoder.Logits(session, tokens, state), step);
            for (int row = 0; row < 2; row++) Assert.Equal(whole[(((row * 5) + t) * Vocabulary)..][..Vocabulary], step[(row * Vocabulary)..][..Vocabulary]);
        }
    }

    [Fact]
    public void A_steady_pass_allocates_nothing()
    {
        using var plan = new PlanBackend();
        using var matcher = WeightLoader.Plan(plan, root => new BlipMatcher(root, Config));
        using var nlvr = WeightLoader.Plan(plan, root => new BlipNlvr(root, Config));
        using var session = new Session(plan);
        int[] ids = new int[4 * Length];
        byte[] valid = new byte[4 * Length];
        using var whole = session.Mark();
        var pixels = new Pixels(session.TakeFloat(8, Size, Size, 3));
        long least = long.MaxValue;
        for (int pass = 0; pass < 8; pass++) // the runtime itself allocates now and then; the model would in every pass
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            using (session.Mark())
            {
                var text = new TextIds(ids, 4, Length, valid);
                var images = matcher.Model.Encoder.Vision.Forward(session, pixels);
                BlipMatcher.Similarity(session, matcher.Model.EmbedImages(session, images), matcher.Model.EmbedText(session, text));
                matcher.Model.MatchLogits(session, text, images.SliceRows(0, 4 * images.Shape[1]).Reshape(4, images.Shape[1], images.Columns));
                nlvr.Model.Judge(session, text, images);
            }
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
    }

    private static CpuBackend Make(string tier, int threads) => new(new CpuOptions { Tier = Tiers.Parse(tier), Threads = threads });

    private static float[] Match(string tier, int threads, int batch, int first)
    {
        using var backend = Make(tier, threads);
        using var loaded = WeightLoader.Load(new RandomWeights(3), backend, root => new BlipMatcher(root, Config));
        using var session = new Session(backend);
        int[] ids = new int[batch * Length];
        byte[] valid = new byte[ids.Length];
        for (int b = 0; b < batch; b++)
        {
            var random = new Random(500 + first + b);
            for (int i = 0; i < Length; i++) (ids[(b * Length) + i], valid[(b * Length) + i]) = (random.Next(Vocabulary), (byte)(i < 4 + ((first + b) % 5) ? 1 : 0));
        }
        float[] logits = new float[batch * 2];
        session.CopyOut<float>(loaded.Model.MatchLogits(session, new TextIds(ids, batch, Length, valid), loaded.Model.Encoder.Vision.Forward(session, Pictures(session, batch, first))), logits);
        return logits;
    }

    private static IReadOnlyList<GeneratedSequence> Caption(string tier, GenerationOptions options, int batch, int first)
    {
        using var backend = Make(tier, 2);
        using var loaded = WeightLoader.Load(new RandomWeights(3), backend, root => new BlipCaptioner(root, Config));
        using var session = new Session(backend);
        var images = loaded.Model.Vision.Forward(session, Pictures(session, batch, first));
        return loaded.Model.Decoder.Write(session, images, [.. Enumerable.Repeat<int[]>([98, 7, 8], batch)], options).Sequences;
    }

    private static Pixels Pictures(Session session, int batch, int first)
    {
        var all = new float[batch * Size * Size * 3];
        for (int b = 0; b < batch; b++)
        {
            var random = new Random(1000 + first + b);
            for (int i = 0; i < Size * Size * 3; i++) all[(b * Size * Size * 3) + i] = (float)((random.NextDouble() * 4) - 2);
        }
        var data = session.TakeFloat(batch, Size, Size, 3);
        session.CopyIn<float>(all, data);
        return new Pixels(data);
    }
}
