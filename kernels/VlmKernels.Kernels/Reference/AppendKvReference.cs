namespace VlmKernels.Kernels;

/// <summary>cache[i · step, positions[i] + t] = k[i, t], v[i, t].</summary>
internal static class AppendKvReference
{
    public static void Run(in AppendKvArgs a)
    {
        var cache = ReferenceKvCache.Own(a.Cache);
        MatrixView<float> k = a.K.Floats(), v = a.V.Floats(), keys = cache.Keys.Floats(), values = cache.Values.Floats();
        int batch = a.K.Shape[0], tokens = a.K.Shape[1];
        for (int i = 0; i < batch; i++)
        {
            int position = a.Positions.IsNone ? 0 : new MatrixView<int>(a.Positions).Values[i];
            if (position < 0 || position > cache.Capacity - tokens) throw new ContractException($"AppendKv: {tokens} tokens from slot {position} of row {i} do not fit {cache.Capacity} slots");
            for (int t = 0; t < tokens; t++)
            {
                int slot = (i * (cache.Rows / batch) * cache.Capacity) + position + t;
                k.Row((i * tokens) + t).CopyTo(keys.Row(slot));
                v.Row((i * tokens) + t).CopyTo(values.Row(slot));
            }
        }
    }
}
