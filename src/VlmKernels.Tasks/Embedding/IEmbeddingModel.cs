using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>A model that embeds pictures and texts into one space, in which those that fit are near each other. Immutable; any number of sessions may share it.</summary>
public interface IEmbeddingModel : IPicturePreparer, IDisposable
{
    /// <summary>What the checkpoint is, for people.</summary>
    string Description { get; }

    /// <summary>Floats of an embedding.</summary>
    int EmbeddingSize { get; }

    /// <summary>Pictures that one pass takes; more of them are embedded in several passes, with the same result.</summary>
    /// <exception cref="InvalidOperationException">The model takes no pictures.</exception>
    int PicturesAtOnce { get; }

    /// <summary>Texts that one pass takes best.</summary>
    int TextsAtOnce { get; }

    /// <summary>True when a text has more tokens than the model's context, so that its end does not count.</summary>
    bool IsCut(string text);

    /// <summary>Embeds prepared pictures, scaled to length 1.</summary>
    /// <param name="s">A session on the model's backend.</param>
    /// <param name="pixels">The pictures, one behind the other, as <see cref="IPicturePreparer.Prepare"/> wrote them.</param>
    /// <param name="count">How many there are.</param>
    /// <returns>[pictures, embedding] F in the session's workspace.</returns>
    /// <exception cref="ArgumentException">The number of bytes is wrong.</exception>
    /// <exception cref="InvalidOperationException">The model takes no pictures.</exception>
    Tensor EmbedPixels(Session s, ReadOnlySpan<byte> pixels, int count);

    /// <summary>Embeds texts, scaled to length 1; cut where they are longer than the model's context.</summary>
    /// <param name="s">A session on the model's backend.</param>
    /// <param name="texts">The texts.</param>
    /// <returns>[texts, embedding] F in the session's workspace.</returns>
    /// <exception cref="InvalidOperationException">The model takes no texts.</exception>
    Tensor EmbedTexts(Session s, IReadOnlyList<string> texts);
}
