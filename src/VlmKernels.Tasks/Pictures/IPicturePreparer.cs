using VlmKernels.Inputs;

namespace VlmKernels.Tasks;

/// <summary>Makes what a model takes out of decoded pictures. Immutable; threads share it.</summary>
public interface IPicturePreparer
{
    /// <summary>What had to be assumed about the model and its pictures, for people.</summary>
    IReadOnlyList<string> Notes { get; }

    /// <summary>Bytes of a prepared picture.</summary>
    /// <exception cref="InvalidOperationException">The model takes no pictures.</exception>
    int PixelBytes { get; }

    /// <summary>How files have to be decoded.</summary>
    /// <param name="orient">Whether photos are turned as their EXIF orientation says.</param>
    DecodeOptions DecodeOptions(bool orient);

    /// <summary>Resizes and crops a picture to what the model takes. The picture itself is not needed any more afterwards.</summary>
    /// <param name="image">The picture, RGB or in the mode of its file.</param>
    /// <param name="pixels">Receives <see cref="PixelBytes"/> bytes.</param>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    void Prepare(NativeImage image, Span<byte> pixels);
}
