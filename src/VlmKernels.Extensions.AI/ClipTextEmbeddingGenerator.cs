using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Extensions.AI;

/// <summary>Embeds texts with a CLIP model. Texts longer than the model's context are cut as its reference does.</summary>
public sealed class ClipTextEmbeddingGenerator : ClipEmbeddingGenerator<string>
{
    private readonly int _context;

    /// <summary>Makes a generator.</summary>
    /// <param name="clip">The model; must outlive the generator.</param>
    /// <param name="backend">The backend that the model was opened on; must outlive the generator.</param>
    /// <param name="modelId">What callers call the model; null: it has no name, and nobody may ask for it by one.</param>
    /// <exception cref="ArgumentException">The model has no text tower.</exception>
    public ClipTextEmbeddingGenerator(ClipRuntime clip, IBackend backend, string? modelId = null)
        : base(clip, clip.Model.HasText ? null : "text tower", backend, modelId)
    {
        _context = clip.Model.Config.Text!.Context;
    }

    private protected override int AtOnce => ClipRuntime.TextsAtOnce;

    private protected override Func<Session, Tensor> Prepare(ArraySegment<string> inputs, int first, CancellationToken cancellationToken)
        => session => Clip.EmbedTexts(session, inputs);

    private protected override long? Tokens(string[] inputs) => inputs.Sum(text => (long)Math.Min(_context, Clip.Tokenizer.Encode(text).Length));
}
