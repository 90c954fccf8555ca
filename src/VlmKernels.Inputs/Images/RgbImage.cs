namespace VlmKernels.Inputs;

/// <summary>A picture as [height, width, 3] bytes in red, green, blue order, without transparency. It never changes once made.</summary>
/// <param name="width">Columns, at least 1.</param>
/// <param name="height">Rows, at least 1.</param>
/// <param name="pixels">Exactly height * width * 3 bytes; the caller hands the array over.</param>
/// <exception cref="ArgumentException">A side below 1, or another number of bytes.</exception>
public sealed class RgbImage(int width, int height, byte[] pixels) : NativeImage(PixelMode.Rgb, width, height, pixels);
