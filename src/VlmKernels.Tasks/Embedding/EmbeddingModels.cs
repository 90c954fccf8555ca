using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Tasks;

/// <summary>Opens whichever model embeds pictures and texts.</summary>
public static class EmbeddingModels
{
    /// <summary>Loads a CLIP, or a BLIP that matches texts, together with what lies beside it.</summary>
    /// <param name="path">A checkpoint file, an index of shards, or a folder.</param>
    /// <param name="backend">Computes; must outlive the result.</param>
    /// <exception cref="WeightFileException">The file cannot be read, or is of neither kind.</exception>
    /// <exception cref="WeightMismatchException">Tensors are missing, have other shapes or stay unused.</exception>
    /// <exception cref="ConfigFormatException">A configuration is broken or asks for what this version does not build.</exception>
    /// <exception cref="FileNotFoundException">There is no tokenizer for the checkpoint.</exception>
    public static IEmbeddingModel Open(string path, IBackend backend) => IsBlip(path) ? BlipMatchRuntime.Open(path, backend) : ClipRuntime.Open(path, backend);

    private static bool IsBlip(string path)
    {
        using var files = Checkpoint.Open(path);
        return CheckpointKind.Recognise(files.Tensors.Keys).Family == CheckpointKind.Blip;
    }
}
