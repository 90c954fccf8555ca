using System.CommandLine;
using VlmKernels.Weights;

namespace VlmKernels.Convert;

/// <summary>The options that say what a conversion changes; verify takes those of them that it cannot see in the result.</summary>
internal sealed class ConvertOptions
{
    private static readonly (string Name, FileDType DType)[] DTypes = [("f32", FileDType.F32), ("f16", FileDType.F16), ("bf16", FileDType.BF16)];

    public ConvertOptions()
    {
        DType.AcceptOnlyFromAmong([.. DTypes.Select(dtype => dtype.Name)]);
        Layout.AcceptOnlyFromAmong("hf");
    }

    public Option<string?> DType { get; } = new("--dtype") { Description = "Type of floating-point tensors: f32, f16 or bf16, rounded to nearest even; by default as they are. Integers and booleans stay." };

    public Option<string?> Layout { get; } = new("--layout") { Description = "hf: names and shapes of Hugging Face, for CLIP with a ViT and BLIP." };

    public Option<string[]> Renames { get; } = new("--rename") { Description = "FROM=TO: another name; * is any text, {i} a number. May come several times; each sees what the one before has left.", DefaultValueFactory = _ => [] };

    public ConversionOptions Of(ParseResult parsed, bool withDType) => new(
        withDType && parsed.GetValue(DType) is { } name ? DTypes.Single(dtype => dtype.Name == name).DType : null,
        parsed.GetValue(Layout) is not null,
        parsed.GetValue(Renames));
}
