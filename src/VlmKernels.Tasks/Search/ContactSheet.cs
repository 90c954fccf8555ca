using System.Globalization;
using SkiaSharp;
using VlmKernels.Inputs;

namespace VlmKernels.Tasks;

/// <summary>A picture of a sheet.</summary>
/// <param name="Rank">Place among the hits of its query, from 1.</param>
/// <param name="Score">Its score.</param>
/// <param name="File">The picture's file.</param>
public readonly record struct SheetPicture(int Rank, float Score, string File);

/// <summary>A PNG of small pictures with rank, score and file name beneath; the hits of every query begin a new line.</summary>
public static class ContactSheet
{
    /// <summary>Pixels of a tile, its two lines of text included.</summary>
    public const int TileWidth = 208, TileHeight = 236;

    /// <summary>Tiles side by side at most, and lines of tiles at most.</summary>
    public const int MostAcross = 5, MostLines = 100;

    private const int Margin = 4, Side = TileWidth - (2 * Margin), LettersOfName = (TileWidth - (2 * Margin)) / DotFont.Advance;

    /// <summary>Checks that a sheet holds so many hits.</summary>
    /// <exception cref="ArgumentException">It does not.</exception>
    public static void RequireRoom(int queries, int hits)
    {
        RequireRoom((long)queries * ((hits + (long)MostAcross - 1) / MostAcross));
    }

    private static void RequireRoom(long lines)
    {
        if (lines is < 1 or > MostLines) throw new ArgumentException($"a sheet holds 1 to {MostLines} lines of {MostAcross} pictures, found {lines}");
    }

    /// <summary>Draws and writes a sheet; the file appears under its name only when it is whole.</summary>
    /// <param name="file">The PNG to write or replace.</param>
    /// <param name="queries">The hits of each query.</param>
    /// <returns>One message for each picture that could not be read and is grey.</returns>
    /// <exception cref="ArgumentException">There is nothing to show, or more than a sheet holds.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static IReadOnlyList<string> Write(string file, IReadOnlyList<IReadOnlyList<SheetPicture>> queries)
    {
        int across = Math.Min(MostAcross, queries.Max(q => q.Count)), lines = queries.Sum(q => (q.Count + MostAcross - 1) / MostAcross);
        RequireRoom(lines);
        var faults = new List<string>();
        using var surface = SKSurface.Create(new SKImageInfo(across * TileWidth, lines * TileHeight, SKColorType.Rgba8888, SKAlphaType.Opaque));
        surface.Canvas.Clear(SKColors.White);
        int line = 0;
        foreach (var hits in queries)
        {
            for (int i = 0; i < hits.Count; i++) Draw(surface.Canvas, hits[i], i % MostAcross * TileWidth, (line + (i / MostAcross)) * TileHeight, faults);
            line += (hits.Count + MostAcross - 1) / MostAcross;
        }
        using var image = surface.Snapshot();
        using var png = image.Encode(SKEncodedImageFormat.Png, 100);
        Save(file, png);
        return faults;
    }

    private static void Draw(SKCanvas canvas, SheetPicture picture, int x, int y, List<string> faults)
    {
        var frame = SKRect.Create(x + Margin, y + Margin, Side, Side);
        try
        {
            using var small = Load(picture.File);
            float scale = Math.Min(frame.Width / small.Width, frame.Height / small.Height), width = small.Width * scale, height = small.Height * scale;
            canvas.DrawImage(small, SKRect.Create(frame.MidX - (width / 2), frame.MidY - (height / 2), width, height), new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear));
        }
        catch (Exception e) when (e is ImageFormatException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            faults.Add(e is FileNotFoundException or DirectoryNotFoundException ? $"{picture.File}: expected a picture, found nothing" : e.Message);
            using var grey = new SKPaint { Color = SKColors.LightGray };
            canvas.DrawRect(frame, grey);
        }
        using var ink = new SKPaint { Color = SKColors.Black };
        float top = frame.Bottom + Margin;
        DotFont.Draw(canvas, string.Create(CultureInfo.InvariantCulture, $"{picture.Rank}  {picture.Score:F4}"), frame.Left, top, 1, ink);
        string name = Path.GetFileName(picture.File);
        DotFont.Draw(canvas, name.Length <= LettersOfName ? name : $"{name.AsSpan(0, LettersOfName - 2)}..", frame.Left, top + DotFont.Height + Margin, 1, ink);
    }

    private static SKImage Load(string file)
    {
        var picture = new SkiaImageDecoder().DecodeFile(file, new DecodeOptions { ApplyOrientation = true });
        byte[] rgba = new byte[4L * picture.Width * picture.Height];
        var rgb = picture.Pixels;
        for (int i = 0; i < rgba.Length / 4; i++)
        {
            rgb.Slice(3 * i, 3).CopyTo(rgba.AsSpan(4 * i));
            rgba[(4 * i) + 3] = byte.MaxValue;
        }
        return SKImage.FromPixelCopy(new SKImageInfo(picture.Width, picture.Height, SKColorType.Rgba8888, SKAlphaType.Opaque), rgba);
    }

    private static void Save(string file, SKData png)
    {
        string partial = Path.Combine(Path.GetDirectoryName(file)!, $".{Path.GetFileName(file)}.partial");
        try
        {
            using (var stream = File.Create(partial)) png.SaveTo(stream);
            File.Move(partial, file, overwrite: true);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }
    }
}
