using VlmKernels.Inputs;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary>Pictures that a command takes one by one.</summary>
internal static class PictureArgument
{
    /// <summary>Reads and prepares pictures, one behind the other.</summary>
    public static byte[] Prepare(IPicturePreparer model, bool orient, params string[] files)
    {
        var decoder = new SkiaImageDecoder();
        byte[] pixels = new byte[files.Length * model.PixelBytes];
        for (int i = 0; i < files.Length; i++)
        {
            model.Prepare(decoder.DecodeNativeFile(Terminal.ExpectFile(files[i], "a picture"), model.DecodeOptions(orient)), pixels.AsSpan(i * model.PixelBytes, model.PixelBytes));
        }
        return pixels;
    }
}
