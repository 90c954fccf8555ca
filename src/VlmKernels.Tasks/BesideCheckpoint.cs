using VlmKernels.Inputs;

namespace VlmKernels.Tasks;

/// <summary>What must fit between a checkpoint and the files beside it, whatever the family.</summary>
internal static class BesideCheckpoint
{
    /// <summary>The folder of a checkpoint's file.</summary>
    public static string Folder(string checkpoint) => Path.GetDirectoryName(Path.GetFullPath(checkpoint))!;

    /// <summary>Refuses rules that end in pictures of another size than the model's; wide pictures tell whether they crop at all.</summary>
    /// <param name="pipeline">The rules.</param>
    /// <param name="file">Where they stand.</param>
    /// <param name="size">Pixels per side that the model takes.</param>
    /// <param name="source">The file that says so.</param>
    /// <exception cref="ConfigFormatException">They do.</exception>
    public static ImagePipeline OfSize(ImagePipeline pipeline, string file, int size, string source)
    {
        foreach (int factor in (ReadOnlySpan<int>)[1, 3])
        {
            var (width, height) = pipeline.OutputSize(factor * size, size);
            if ((width, height) == (size, size)) continue;
            throw new ConfigFormatException(file, $"pictures of {factor * size}×{size} pixels become {width}×{height}, but {source} says that the model takes {size}×{size}");
        }
        return pipeline;
    }

    /// <summary>A tokenizer may know fewer ids than the model, whose table is often padded, but never more.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="file">Where it comes from.</param>
    /// <param name="known">Ids that the model knows.</param>
    /// <param name="checkpoint">The model's file.</param>
    /// <exception cref="ConfigFormatException">It knows more.</exception>
    public static ITokenizer Fitting(ITokenizer tokenizer, string file, int known, string checkpoint)
        => tokenizer.VocabularySize <= known ? tokenizer : throw new ConfigFormatException(file, $"the tokenizer has {tokenizer.VocabularySize} ids, but the model in {checkpoint} knows {known}");
}
