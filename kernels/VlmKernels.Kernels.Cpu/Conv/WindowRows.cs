namespace VlmKernels.Kernels.Cpu;

/// <summary>Windows of a feature map [b, h, w, c] as rows of a product, in the order row, column, channel; cells outside are zeros.</summary>
internal readonly unsafe struct WindowRows(float* x, int height, int width, int channels, Stencil stencil) : IRowSource
{
    private readonly float* _x = x;
    private readonly int _height = height, _width = width, _channels = channels;
    private readonly int _down = stencil.Windows(height), _across = stencil.Windows(width);
    private readonly Stencil _stencil = stencil;

    public float* Row(int row, float* scratch)
    {
        int column = row % _across, line = row / _across % _down, picture = row / _across / _down;
        int left = (column * _stencil.Stride) - _stencil.PadBefore, top = (line * _stencil.Stride) - _stencil.PadBefore;
        float* map = _x + ((nint)picture * _height * _width * _channels);
        // The part of a window line that lies inside is one run of neighbouring cells.
        int first = Math.Max(0, -left), last = Math.Min(_stencil.Kernel, _width - left), run = Math.Max(0, last - first) * _channels;
        int lineLength = _stencil.Kernel * _channels;
        for (int ky = 0; ky < _stencil.Kernel; ky++)
        {
            var into = new Span<float>(scratch + (ky * lineLength), lineLength);
            int y = top + ky;
            if ((uint)y >= (uint)_height || run == 0)
            {
                into.Clear();
                continue;
            }
            int start = first * _channels;
            into[..start].Clear();
            new ReadOnlySpan<float>(map + ((((nint)y * _width) + left + first) * _channels), run).CopyTo(into.Slice(start, run));
            into[(start + run)..].Clear();
        }
        return scratch;
    }
}
