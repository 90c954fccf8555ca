using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Perf;

/// <summary>
/// The linear layers of a decode step: one size with so many different weights that no cache keeps them from one pass to the next. Judge it by GB/s
/// beside the read rate of the report.
/// </summary>
/// <param name="Rows">Rows that decode together.</param>
/// <param name="Inputs">Width of the input.</param>
/// <param name="Outputs">Width of the result.</param>
internal sealed record DecodeCase(int Rows, int Inputs, int Outputs) : PerfCase($"decode {Rows}x{Inputs}->{Outputs}", 0)
{
    private const long BytesOfWeights = 384L << 20;

    /// <summary>The sizes of BLIP's decoder.</summary>
    public static IEnumerable<DecodeCase> All =>
        from rows in (int[])[1, 3, 8]
        from size in ((int Inputs, int Outputs)[])[(768, 768), (768, 3072), (3072, 768), (768, 30524)]
        select new DecodeCase(rows, size.Inputs, size.Outputs);

    /// <inheritdoc/>
    public override bool IsReading => true;

    /// <inheritdoc/>
    public override PreparedCase Prepare(IBackend backend, int threads)
    {
        var session = new Session(backend);
        int count = (int)((BytesOfWeights / ((long)sizeof(float) * Inputs * Outputs)) + 1);
        var loaded = WeightLoader.Load(new RandomWeights(seed: 1), backend, root => Layers(root, count));
        Tensor x = session.Take(Rows, Inputs), y = session.Take(Rows, Outputs);
        session.CopyIn<float>(new float[Rows * Inputs], x);
        return new PreparedCase(
            () =>
            {
                foreach (var weight in loaded.Model) session.Ops.Linear(new LinearArgs(x, weight, y));
            },
            new Cost(2L * count * Rows * Inputs * Outputs, 4L * count * Inputs * Outputs), loaded, session);
    }

    private PackedWeight[] Layers(WeightNode root, int count)
    {
        var layers = new PackedWeight[count];
        for (int i = 0; i < count; i++) layers[i] = root[i].Pack(WeightUse.Linear, root[i].Matrix("weight", Outputs, Inputs), bias: null);
        return layers;
    }
}
