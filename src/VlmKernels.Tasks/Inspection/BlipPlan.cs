using VlmKernels.Kernels;
using VlmKernels.Models;

namespace VlmKernels.Tasks;

/// <summary>What the parts of a BLIP of published size would take; a checkpoint holds the picture's tower and one or both of the others.</summary>
internal static class BlipPlan
{
    // "[DEC] a picture of", and the usual length of a caption.
    private const int Prompt = 4, Caption = 20;

    public static IReadOnlyList<TowerPlan> Towers(BlipConfig c, int batch)
    {
        var decoder = ModelPlan.Tower("decoder", root => new MedDecoder(root["text_decoder"], c.Text, c.Vision.Block.HiddenSize), (s, m) => Write(s, m, c, batch, steps: 0));
        var more = ModelPlan.Tower("decode step", root => new MedDecoder(root["text_decoder"], c.Text, c.Vision.Block.HiddenSize), (s, m) => Write(s, m, c, batch, steps: 1));
        var step = more with { Parameters = 0, WeightBytes = 0, Cost = new Cost(more.Cost.Flops - decoder.Cost.Flops, more.Cost.Bytes - decoder.Cost.Bytes) };
        return
        [
            ModelPlan.Tower("image", root => new BlipVisionTower(root["vision_model"], c.Vision), (s, m) => m.Forward(s, new Pixels(s.TakeFloat(batch, c.Vision.ImageSize, c.Vision.ImageSize, 3)))),
            ModelPlan.Tower("encoder", root => new MedTransformer(root["text_encoder"], c.Text, c.Vision.Block.HiddenSize, "enc"), (s, m) => Read(s, m, c, batch)),
            decoder, step,
        ];
    }

    private static void Read(Session s, MedTransformer encoder, BlipConfig c, int batch)
    {
        const int Length = BlipMatcher.TextLength;
        encoder.Forward(s, new TextIds(new int[batch * Length], batch, Length), new CrossStates(Images(s, c, batch)));
    }

    private static void Write(Session s, MedDecoder decoder, BlipConfig c, int batch, int steps)
    {
        using var state = decoder.CreateState(s, batch, 1, Caption);
        decoder.LookAt(s, state, Images(s, c, batch));
        int[] lengths = new int[batch];
        Array.Fill(lengths, Prompt);
        decoder.Logits(s, state.PutPrompts(s, new int[batch * Prompt], lengths), state);
        for (int i = 0; i < steps; i++) decoder.Logits(s, state.PutTokens(s, new int[batch]), state);
    }

    private static Tensor Images(Session s, BlipConfig c, int batch)
    {
        int grid = c.Vision.ImageSize / c.Vision.PatchSize;
        return s.Take(batch, 1 + (grid * grid), c.Vision.Block.HiddenSize);
    }
}
