using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>Pictures as a model takes them.</summary>
/// <param name="Data">[batch, height, width, 3]: grey levels U with a table, or normalised values F without.</param>
/// <param name="ByteTable">[3, 256] F: the normalised value of each grey level of each channel; none for F.</param>
public readonly record struct Pixels(Tensor Data, Tensor ByteTable = default)
{
    /// <summary>Number of pictures.</summary>
    public int Batch => Data.Shape[0];

    /// <summary>Rows of a picture.</summary>
    public int Height => Data.Shape[1];

    /// <summary>Columns of a picture.</summary>
    public int Width => Data.Shape[2];

    /// <summary>Checks that the pictures are [batch, height, width, 3] of one size.</summary>
    /// <exception cref="ContractException">They have another shape or size.</exception>
    public void Require(string model, int height, int width)
    {
        if (Data.IsNone || Data.Shape.Rank != 4 || Data.Columns != 3 || Height != height || Width != width)
        {
            throw new ContractException($"{model}: pixels must be [batch, {height}, {width}, 3], found {Data}");
        }
    }
}
