using System.Globalization;
using VlmKernels.Models;

namespace VlmKernels.Tasks;

/// <summary>Says in words what configurations say in numbers.</summary>
internal static class ModelFacts
{
    public static IReadOnlyList<ModelFact> Of(ClipConfig config)
    {
        var facts = new List<ModelFact>();
        if (config.Vision is { } v) facts.Add(new("image tower", Text($"ViT, {v.ImageSize} px, patch {v.PatchSize}, width {v.Block.HiddenSize}, layers {v.Block.Layers}, heads {v.Block.Heads}, MLP {v.Block.MlpSize}, {v.Block.Activation}")));
        if (config.ResNet is { } r) facts.Add(new("image tower", Text($"ResNet, {r.ImageSize} px, stages {string.Join("-", r.Layers)}, width {r.Width}, heads of the pool {r.Heads}")));
        if (config.Text is { } t) facts.Add(new("text tower", Text($"{t.Vocabulary} ids, {t.Context} tokens, width {t.Block.HiddenSize}, layers {t.Block.Layers}, heads {t.Block.Heads}, MLP {t.Block.MlpSize}, {t.Block.Activation}, pools {t.Pooling}")));
        facts.Add(new("embedding", Text($"{config.ProjectionSize}")));
        return facts;
    }

    public static IReadOnlyList<ModelFact> Of(BlipCheckpoint checkpoint)
    {
        var (v, t, c) = (checkpoint.Config.Vision, checkpoint.Config.Text, checkpoint.Config);
        var facts = new List<ModelFact>
        {
            new("can", string.Join(", ", checkpoint.Tasks.Select(Verb))),
            new("image tower", Text($"ViT, {v.ImageSize} px, patch {v.PatchSize}, {Sizes(v.Block)}")),
            new("text transformer", Text($"{t.Vocabulary} ids, {t.Context} tokens, {Sizes(t.Block)}")),
            new("tokens", Text($"[DEC] {c.Tokens.Begin}, [ENC] {c.Tokens.Encode}, [SEP] {c.Tokens.End}, [PAD] {c.Tokens.Pad}")),
        };
        if (checkpoint.Tasks.Contains(BlipTask.Match)) facts.Add(new("embedding", Text($"{c.MatchSize}")));
        return facts;
    }

    private static string Verb(BlipTask task) => task switch
    {
        BlipTask.Caption => "write captions",
        BlipTask.Answer => "answer questions",
        BlipTask.Match => "match pictures with texts",
        BlipTask.Compare => "judge statements about two pictures",
        BlipTask.Encode => "encode pictures and texts",
        _ => "embed pictures and texts",
    };

    private static string Sizes(TransformerConfig c) => Text($"width {c.HiddenSize}, layers {c.Layers}, heads {c.Heads}, MLP {c.MlpSize}, {c.Activation}, norm ε {c.NormEpsilon}");

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
