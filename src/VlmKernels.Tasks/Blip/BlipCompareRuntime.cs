using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Models;
using VlmKernels.Weights;

namespace VlmKernels.Tasks;

/// <summary>A BLIP checkpoint that says whether statements about two pictures are true (NLVR2).</summary>
public sealed class BlipCompareRuntime : BlipRuntime
{
    private readonly BlipNlvr _model;

    private BlipCompareRuntime(LoadedModel<BlipNlvr> loaded, BlipParts parts)
        : base(loaded, loaded.Model.Vision, parts) => _model = loaded.Model;

    /// <summary>Loads a checkpoint together with what lies beside it: configuration and vocabulary.</summary>
    /// <param name="path">A checkpoint file, an index of shards, or a folder.</param>
    /// <param name="backend">Computes; must outlive the result.</param>
    /// <exception cref="WeightFileException">The file cannot be read, or is no BLIP model that compares two pictures.</exception>
    /// <exception cref="WeightMismatchException">Tensors are missing, have other shapes or stay unused.</exception>
    /// <exception cref="ConfigFormatException">A configuration is broken or asks for what this version does not build.</exception>
    /// <exception cref="FileNotFoundException">There is no tokenizer for the checkpoint.</exception>
    public static BlipCompareRuntime Open(string path, IBackend backend) => Open(path, BlipTask.Compare, (c, parts) => new BlipCompareRuntime(c.LoadNlvr(backend), parts));

    /// <summary>Probabilities that statements are true.</summary>
    /// <param name="s">A session on the runtime's backend.</param>
    /// <param name="pixels">Prepared pictures: the left one of every statement, then the right ones.</param>
    /// <param name="statements">The statements.</param>
    /// <exception cref="ArgumentException">The number of bytes is wrong, or a statement is longer than the model's context.</exception>
    public float[] Judge(Session s, ReadOnlySpan<byte> pixels, IReadOnlyList<string> statements)
    {
        using var mark = s.Mark();
        var text = Text.Pad([.. statements.Select(Text.Statement)]);
        return SecondOfTwo(s, _model.Judge(s, text.All, Encode(s, pixels, 2 * statements.Count)));
    }
}
