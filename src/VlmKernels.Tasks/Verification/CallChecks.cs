using System.Globalization;
using System.Text.Json;

namespace VlmKernels.Tasks.Verification;

/// <summary>Compares what a call gave with its goldens.</summary>
internal sealed class CallChecks(GoldenCase golden, GoldenCall call)
{
    // Literals of scores are written with six decimals.
    private const double LiteralRounding = 5e-7;

    private readonly List<StageCheck> _checks = [];

    public IReadOnlyList<StageCheck> All => _checks;

    public void Fail(string stage, string why) => Add(stage, "", Verdict.Failed, why);

    public void Compare(CallResult result)
    {
        foreach (var (stage, name) in call.Mids)
        {
            if (result.Mid(stage) is { } value) Compare(stage, name, value, golden.MidTolerance);
            else Add(stage, "", Verdict.Skipped, "no stage of that name is shown");
        }
        foreach (var (output, name) in call.Outputs)
        {
            if (result.Outputs.TryGetValue(output, out var value)) Compare(output, name, value, golden.OutTolerance);
            else Fail(output, "no result of that name");
        }
        foreach (var (fact, expected) in call.Expect) CompareLiteral(fact, expected, result);
        if (_checks.All(c => c.Verdict == Verdict.Skipped)) Fail("call", "nothing verified: no output, mid or literal of this call could be compared");
    }

    private void Compare(string stage, string tensor, HostTensor value, double tolerance)
    {
        var expected = golden.Floats(tensor);
        if (golden.IsInteger(tensor)) tolerance = 0;
        string shape = Show(expected.Shape);
        if (!value.Shape.AsSpan().SequenceEqual(expected.Shape))
        {
            Add(stage, shape, Verdict.Failed, $"shape {Show(value.Shape)}");
            return;
        }
        var (error, at) = Largest(value.Values, expected.Values);
        bool passed = error <= tolerance; // false for NaN
        string note = passed ? "" : string.Create(CultureInfo.InvariantCulture, $"{value.Values[at]} instead of {expected.Values[at]} at {at}");
        _checks.Add(new StageCheck(call.Name, stage, shape, error, tolerance, passed ? Verdict.Passed : Verdict.Failed, note));
    }

    private void CompareLiteral(string fact, JsonElement expected, CallResult result)
    {
        string stage = "expect " + fact;
        if (result.Lists.TryGetValue(fact, out int[][]? lists))
        {
            CompareRows(stage, Rows(expected, v => v.GetInt32()), lists);
            return;
        }
        if (result.Texts.TryGetValue(fact, out string[][]? texts))
        {
            CompareRows(stage, Rows(expected, v => v.GetString()!), texts);
            return;
        }
        if (!result.Facts.TryGetValue(fact, out var value))
        {
            Fail(stage, "it is not known how to find this out");
            return;
        }
        var literals = new List<double>();
        bool isWhole = Flatten(expected, literals);
        double tolerance = isWhole ? 0 : golden.OutTolerance + LiteralRounding;
        var (error, _) = literals.Count == value.Values.Length ? Largest(value.Values, [.. literals.Select(l => (float)l)]) : (double.NaN, 0);
        bool passed = error <= tolerance;
        string note = passed ? "" : $"found {string.Join(", ", value.Values)}";
        _checks.Add(new StageCheck(call.Name, stage, Show(value.Shape), error, tolerance, passed ? Verdict.Passed : Verdict.Failed, note));
    }

    private void CompareRows<T>(string stage, T[][] expected, T[][] found) where T : IEquatable<T>
    {
        bool same = expected.Length == found.Length && expected.Zip(found).All(p => p.First.AsSpan().SequenceEqual(p.Second));
        Add(stage, Show([expected.Length]), same ? Verdict.Passed : Verdict.Failed, same ? "" : $"found {string.Join(", ", found.Select(r => $"[{string.Join(", ", r)}]"))}");
    }

    /// <summary>Nested arrays as rows; a flat array is one row.</summary>
    private static T[][] Rows<T>(JsonElement expected, Func<JsonElement, T> read)
    {
        bool isFlat = !expected.EnumerateArray().Any(r => r.ValueKind == JsonValueKind.Array);
        return isFlat ? [[.. expected.EnumerateArray().Select(read)]] : [.. expected.EnumerateArray().Select(r => r.EnumerateArray().Select(read).ToArray())];
    }

    /// <summary>Largest |value − golden| / max(1, |golden|), and where; NaN beats everything.</summary>
    private static (double Error, int At) Largest(float[] values, float[] expected)
    {
        double largest = 0;
        int at = 0;
        for (int i = 0; i < values.Length; i++)
        {
            if (values[i].Equals(expected[i])) continue; // equal infinities have no difference
            double error = Math.Abs((double)values[i] - expected[i]) / Math.Max(1, Math.Abs((double)expected[i]));
            if (double.IsNaN(error)) return (error, i);
            if (error > largest) (largest, at) = (error, i);
        }
        return (largest, at);
    }

    /// <summary>Collects the numbers of nested arrays; true when all are whole.</summary>
    private static bool Flatten(JsonElement element, List<double> into)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            bool isWhole = true;
            foreach (var item in element.EnumerateArray()) isWhole &= Flatten(item, into);
            return isWhole;
        }
        if (element.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            into.Add(element.GetBoolean() ? 1 : 0);
            return true;
        }
        into.Add(element.GetDouble());
        return element.TryGetInt64(out _);
    }

    private void Add(string stage, string shape, Verdict verdict, string note) => _checks.Add(new StageCheck(call.Name, stage, shape, 0, 0, verdict, note));

    private static string Show(int[] shape) => $"[{string.Join(", ", shape)}]";
}
