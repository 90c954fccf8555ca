namespace VlmKernels.Inputs;

/// <summary>Pillow's integer arithmetic between plain and premultiplied alpha; alpha is the last of the channels.</summary>
internal static class Premultiplied
{
    public static void Multiply(Span<byte> pixels, int channels)
    {
        for (int i = 0; i < pixels.Length; i += channels)
        {
            int alpha = pixels[i + channels - 1];
            for (int c = 0; c < channels - 1; c++)
            {
                int product = pixels[i + c] * alpha + 128;
                pixels[i + c] = (byte)(((product >> 8) + product) >> 8);
            }
        }
    }

    public static void Divide(Span<byte> pixels, int channels)
    {
        for (int i = 0; i < pixels.Length; i += channels)
        {
            int alpha = pixels[i + channels - 1];
            if (alpha is 0 or 255) continue;
            for (int c = 0; c < channels - 1; c++) pixels[i + c] = (byte)Math.Min(255, 255 * pixels[i + c] / alpha);
        }
    }
}
