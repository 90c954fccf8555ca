using System.Text.Json;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Kernels.Tests;

/// <summary>The golden table of elementwise functions, softmax and norms (float64, rounded once; special values as PyTorch gives them).</summary>
public class NumericsTests
{
    private static readonly Dictionary<string, Activation> Activations = new()
    {
        ["gelu_exact"] = Activation.Gelu, ["quick_gelu"] = Activation.QuickGelu, ["gelu_tanh"] = Activation.GeluTanh,
        ["silu"] = Activation.Silu, ["sigmoid"] = Activation.Sigmoid, ["tanh"] = Activation.Tanh,
    };

    /// <summary>Calls that no operation of the contract answers: parts of other functions, dtype conversion, quantisation, resampling, logit processors.</summary>
    private static readonly HashSet<string> Elsewhere =
    [
        "erf", "log_sigmoid", "exp", "softplus", "rms_norm", "to_f16", "to_bf16", "to_f8_e4m3", "to_f8_e5m2", "f16_to_f32_all_codes", "f8_e4m3_to_f32_all_codes",
        "f8_e5m2_to_f32_all_codes", "quantize_int8_per_row", "interpolate", "interpolate_linear", "top_k", "top_p", "temperature", "repetition_penalty",
        "no_repeat_ngram", "min_p", "typical", "min_length",
    ];

    private static readonly string Folder = Fixtures.Find("inputs/numerics").First();
    private static readonly GoldenTensors Golden = new(Path.Combine(Folder, "golden.safetensors"));
    private static readonly JsonElement Table = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "golden.json"))).RootElement;

    public static IEnumerable<TheoryDataRow<string, int, string>> Calls =>
        from backend in Backends.Names
        from call in Table.GetProperty("calls").EnumerateArray().Select((c, i) => (Name: c.GetProperty("name").GetString()!, Index: i))
        where !Elsewhere.Contains(call.Name)
        select new TheoryDataRow<string, int, string>(backend, call.Index, call.Name);

    [Theory]
    [MemberData(nameof(Calls))]
    public void A_call_gives_the_golden_values(string backend, int index, string name)
    {
        var call = Table.GetProperty("calls")[index];
        using var session = new Session(Backends.Get(backend));
        switch (name)
        {
            case "softmax": Softmax(session); break;
            case "layer_norm": LayerNorm(session, Backends.Get(backend), call); break;
            case "l2_normalize": L2Normalize(session); break;
            case "special_values": SpecialValues(session, Backends.Get(backend)); break;
            default: Elementwise(session, Backends.Get(backend), name); break;
        }
    }

    private static double Tolerance(string name) => Table.GetProperty("tolerance").GetProperty(name).GetDouble();

    private static void Elementwise(Session s, IBackend backend, string name)
    {
        Assert.True(Activations.TryGetValue(name, out var activation), $"golden.json has a call {name} that no test knows");
        float[] found = Activate(s, backend, Golden.Floats("in.x"), activation), expected = Golden.Floats($"out.{name}");
        AssertClose(found, expected, Tolerance("elementwise_abs"), Tolerance("elementwise_rel"));
    }

    private static void SpecialValues(Session s, IBackend backend)
    {
        foreach (var (name, activation) in Activations)
        {
            Assert.Equal(Golden.Floats($"out.{name}_special"), Activate(s, backend, Golden.Floats("in.special"), activation));
        }
    }

    /// <summary>A linear layer with one input, the weight 1 and no bias is its activation.</summary>
    private static float[] Activate(Session s, IBackend backend, float[] values, Activation activation)
    {
        using var one = backend.Pack(new PackRequest("one", WeightUse.Linear, new ArrayMatrix([1f], 1, 1)));
        Tensor x = In(s, values, values.Length, 1), y = s.Take(values.Length, 1);
        s.Ops.Linear(new LinearArgs(x, one, y) { Epilogue = new(activation) });
        return Out(s, y);
    }

    private static void Softmax(Session s)
    {
        int[] shape = Golden.Shape("in.logits");
        Tensor x = In(s, Golden.Floats("in.logits"), shape), y = s.TakeFloat(shape), log = s.TakeFloat(shape);
        s.Ops.Softmax(new SoftmaxArgs(x, y));
        s.Ops.Softmax(new SoftmaxArgs(x, log) { Log = true });
        AssertClose(Out(s, y), Golden.Floats("out.softmax"), Tolerance("softmax_abs"), 0);
        AssertClose(Out(s, log), Golden.Floats("out.log_softmax"), Tolerance("softmax_abs"), Tolerance("elementwise_rel"));
    }

    private static void LayerNorm(Session s, IBackend backend, JsonElement call)
    {
        string epsilon = call.GetProperty("options").GetProperty("eps").GetRawText();
        int[] shape = Golden.Shape("in.ln_x");
        Tensor x = In(s, Golden.Floats("in.ln_x"), shape), y = s.Take(shape), plain = s.Take(shape);
        Tensor weight = backend.Upload(Golden.Floats("in.ln_weight"), new Shape(shape[1])), bias = backend.Upload(Golden.Floats("in.ln_bias"), new Shape(shape[1]));
        float value = call.GetProperty("options").GetProperty("eps").GetSingle();
        s.Ops.Norm(new NormArgs(x, y, NormKind.LayerNorm, value) { Weight = weight, Bias = bias });
        s.Ops.Norm(new NormArgs(x, plain, NormKind.LayerNorm, value));
        AssertRows(Out(s, y), Golden.Floats(call.GetProperty("outputs").GetProperty("y").GetString()!), shape[1], epsilon);
        AssertRows(Out(s, plain), Golden.Floats(call.GetProperty("outputs").GetProperty("y_without_affine").GetString()!), shape[1], epsilon);
        weight.Storage!.Dispose();
        bias.Storage!.Dispose();
    }

    /// <summary>Rows 2 and 7 have a tiny spread around 1000 and 30000: an F32 mean is far from theirs, PyTorch's too.</summary>
    private static void AssertRows(float[] found, float[] expected, int columns, string epsilon)
    {
        for (int row = 0; row < found.Length / columns; row++)
        {
            double tolerance = row is 2 or 7 ? 0.1 : Tolerance("layer_norm_abs");
            AssertClose(found[(row * columns)..((row + 1) * columns)], expected[(row * columns)..((row + 1) * columns)], tolerance, 0, $"row {row}, epsilon {epsilon}: ");
        }
    }

    private static void L2Normalize(Session s)
    {
        int[] shape = Golden.Shape("in.ln_x");
        Tensor x = In(s, Golden.Floats("in.ln_x"), shape), y = s.Take(shape);
        s.Ops.Norm(new NormArgs(x, y, NormKind.L2, 1e-12f));
        AssertClose(Out(s, y), Golden.Floats("out.l2_normalize"), Tolerance("elementwise_abs"), Tolerance("elementwise_rel"));
    }

    private static Tensor In(Session s, float[] values, params ReadOnlySpan<int> shape)
    {
        var tensor = s.TakeFloat(shape);
        s.CopyIn<float>(values, tensor);
        return tensor;
    }

    private static float[] Out(Session s, Tensor tensor)
    {
        float[] values = new float[tensor.Shape.Count];
        s.CopyOut(tensor, values.AsSpan());
        return values;
    }

    private static void AssertClose(float[] found, float[] expected, double absolute, double relative, string where = "")
    {
        Assert.Equal(expected.Length, found.Length);
        for (int i = 0; i < found.Length; i++)
        {
            if (found[i].Equals(expected[i]) || found[i] == expected[i]) continue;
            double error = Math.Abs((double)found[i] - expected[i]), allowed = absolute + (relative * Math.Abs((double)expected[i]));
            Assert.True(error <= allowed, $"{where}[{i}] is {found[i]:R}, expected {expected[i]:R}");
        }
    }
}
