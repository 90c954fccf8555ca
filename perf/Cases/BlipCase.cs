using VlmKernels.Kernels;
using VlmKernels.Models;
using VlmKernels.Weights;

namespace VlmKernels.Perf;

/// <summary>What BLIP does for a caption.</summary>
internal enum BlipPart
{
    /// <summary>The picture's tower.</summary>
    Vision,
    /// <summary>Keys and values of the picture for all layers of the decoder, then the prompt "[DEC] a picture of".</summary>
    Prefill,
    /// <summary>One token more for every row, whose caption has reached its usual longest length.</summary>
    Decode,
}

/// <summary>A part of BLIP-base at 384 pixels with random weights. A step of the decoder reads every weight for a few rows: judge it by GB/s.</summary>
/// <param name="Name">Stable name: <c>blip-base-decode</c>.</param>
/// <param name="Part">What is timed.</param>
/// <param name="Batch">Pictures.</param>
/// <param name="Beams">Rows that continue each picture's caption.</param>
/// <param name="Graphs">ONNX graphs that compute the same, by folder name.</param>
internal sealed record BlipCase(string Name, BlipPart Part, int Batch, int Beams, params string[] Graphs) : PerfCase(Name, Batch, Graphs)
{
    // "[DEC] a picture of", and the usual length of a caption.
    private const int Prompt = 4, Caption = 20;
    private const string Vision = "blip-base-384-vision";

    private static readonly BlipConfig Config = BlipSizes.Find("BLIP-base-384")!.Config;

    /// <summary>The rows that are reported.</summary>
    public static IEnumerable<BlipCase> All =>
    [
        .. from batch in (int[])[1, 8] select new BlipCase(Vision, BlipPart.Vision, batch, 1, $"{Vision}-f32", $"{Vision}-f32-fused"),
        new BlipCase("blip-base-prefill", BlipPart.Prefill, 1, 1),
        new BlipCase("blip-base-prefill", BlipPart.Prefill, 8, 1),
        new BlipCase("blip-base-decode", BlipPart.Decode, 1, 1),
        new BlipCase("blip-base-decode-3-beams", BlipPart.Decode, 1, 3),
        new BlipCase("blip-base-decode", BlipPart.Decode, 8, 1),
    ];

    /// <inheritdoc/>
    public override bool IsReading => Part == BlipPart.Decode;

    /// <inheritdoc/>
    public override double Seconds => Part == BlipPart.Decode ? 4 : 8;

    /// <inheritdoc/>
    public override PreparedCase Prepare(IBackend backend, int threads) => Part == BlipPart.Vision
        ? Prepare(backend, root => new BlipVisionTower(root["vision_model"], Config.Vision), See)
        : Prepare(backend, root => new MedDecoder(root["text_decoder"], Config.Text, Config.Vision.Block.HiddenSize), Part == BlipPart.Prefill ? Read : Write);

    private static PreparedCase Prepare<T>(IBackend backend, Func<WeightNode, T> create, Func<Session, T, BlipWork> start) where T : class
    {
        var loaded = WeightLoader.Load(new RandomWeights(seed: 1), backend, create);
        var session = new Session(backend);
        var work = start(session, loaded.Model);
        return new PreparedCase(work.Pass, PlannedCost(create, start), loaded, session, work);
    }

    private static Cost PlannedCost<T>(Func<WeightNode, T> create, Func<Session, T, BlipWork> start) where T : class
    {
        using var plan = new PlanBackend();
        using var loaded = WeightLoader.Plan(plan, create);
        using var session = new Session(plan);
        using var work = start(session, loaded.Model);
        var before = plan.Total;
        work.Pass();
        return new Cost(plan.Total.Flops - before.Flops, plan.Total.Bytes - before.Bytes);
    }

    private BlipWork See(Session s, BlipVisionTower tower)
    {
        int size = Config.Vision.ImageSize;
        float[] pixels = Noise(Batch * size * size * 3), tokens = new float[Batch * Tokens * Config.Vision.Block.HiddenSize];
        return new BlipWork(() =>
        {
            using var mark = s.Mark();
            var data = s.TakeFloat(Batch, size, size, 3);
            s.CopyIn<float>(pixels, data);
            s.CopyOut<float>(tower.Forward(s, new Pixels(data)), tokens);
        });
    }

    private BlipWork Read(Session s, MedDecoder decoder)
    {
        var state = decoder.CreateState(s, Batch, Beams, Caption);
        var images = Images(s);
        var logits = new float[Batch * Config.Text.Vocabulary];
        return new BlipWork(() => PutPrompts(s, decoder, state, images, logits), state);
    }

    private BlipWork Write(Session s, MedDecoder decoder)
    {
        var state = decoder.CreateState(s, Batch, Beams, Caption);
        var logits = new float[state.Rows * Config.Text.Vocabulary];
        int[] ids = new int[state.Rows];
        PutPrompts(s, decoder, state, Images(s), logits.AsSpan(0, Batch * Config.Text.Vocabulary));
        for (int i = Prompt; i < Caption; i++) Step();
        return new BlipWork(Step, state);

        void Step()
        {
            using var mark = s.Mark();
            s.CopyOut<float>(decoder.Logits(s, state.PutTokens(s, ids), state), logits);
        }
    }

    private void PutPrompts(Session s, MedDecoder decoder, DecodeState state, Tensor images, Span<float> logits)
    {
        using var mark = s.Mark();
        decoder.LookAt(s, state, images);
        int[] lengths = new int[Batch];
        Array.Fill(lengths, Prompt);
        s.CopyOut(decoder.Logits(s, state.PutPrompts(s, new int[Batch * Prompt], lengths), state), logits);
    }

    private static int Tokens => 1 + (Config.Vision.ImageSize / Config.Vision.PatchSize * (Config.Vision.ImageSize / Config.Vision.PatchSize));

    private Tensor Images(Session s)
    {
        var images = s.Take(Batch, Tokens, Config.Vision.Block.HiddenSize);
        s.CopyIn<float>(Noise((int)images.Shape.Count), images);
        return images;
    }

    private static float[] Noise(int count)
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 4) - 2))];
    }
}

/// <summary>A pass of a part, and the request that it belongs to.</summary>
/// <param name="pass">One pass.</param>
/// <param name="state">The request; null: none.</param>
internal sealed class BlipWork(Action pass, DecodeState? state = null) : IDisposable
{
    /// <summary>One pass.</summary>
    public Action Pass => pass;

    /// <inheritdoc/>
    public void Dispose() => state?.Dispose();
}
