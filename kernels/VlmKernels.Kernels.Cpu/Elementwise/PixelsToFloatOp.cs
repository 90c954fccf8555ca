namespace VlmKernels.Kernels.Cpu;

/// <summary><see cref="IOps.PixelsToFloat"/>: look-ups, since the table's values are the definition. A gather instruction is no faster.</summary>
internal static unsafe class PixelsToFloatOp
{
    public static void Run(CpuQueue q, in PixelsArgs a)
    {
        var job = new PixelsJob
        {
            Pixels = CpuStorage.Address(a.Pixels),
            Table = CpuStorage.Floats(a.ByteTable),
            Y = CpuStorage.Floats(a.Y),
            PitchY = a.Y.Pitch,
        };
        RowJobs.Run(q, job, a.Y.Rows, 3 * (sizeof(byte) + sizeof(float)));
    }

    private struct PixelsJob : IRowJob
    {
        public byte* Pixels;
        public float* Table, Y;
        public nint PitchY;

        public readonly void Run(int first, int end)
        {
            float* red = Table, green = red + 256, blue = green + 256, y = Y + (first * PitchY);
            byte* pixel = Pixels + (3L * first);
            nint step = PitchY;
            for (int i = first; i < end; i++, pixel += 3, y += step)
            {
                y[0] = red[pixel[0]];
                y[1] = green[pixel[1]];
                y[2] = blue[pixel[2]];
            }
        }
    }
}
