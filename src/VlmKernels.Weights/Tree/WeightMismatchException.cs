using System.Globalization;
using System.Text;

namespace VlmKernels.Weights;

/// <summary>What is wrong with a tensor.</summary>
public enum WeightFaultKind
{
    /// <summary>The model asks for it and the checkpoint lacks it.</summary>
    Missing,
    /// <summary>It has another shape than the model expects.</summary>
    Shape,
    /// <summary>The checkpoint holds it and the model does not ask for it.</summary>
    Unused,
}

/// <summary>One tensor that does not fit.</summary>
/// <param name="Kind">What is wrong.</param>
/// <param name="Key">Name in the file.</param>
/// <param name="File">Path of the file, or of the checkpoint for a missing tensor.</param>
/// <param name="Expected">Shape that the model asks for; empty for an unused tensor.</param>
/// <param name="Found">Shape and type in the file; empty for a missing tensor.</param>
/// <param name="AskedAs">Name that the model asks for.</param>
public sealed record WeightFault(WeightFaultKind Kind, string Key, string File, string Expected, string Found, string AskedAs);

/// <summary>A checkpoint does not fit a model. All tensors that are missing, have another shape or stay unused are reported together.</summary>
public sealed class WeightMismatchException : Exception
{
    // What a screen shows. All faults are in the property.
    private const int MostListed = 50;
    private const int WidestName = 80;
    private const int LongestPlain = 200;

    /// <summary>Composes the message: one line for the checkpoint, one for every fault.</summary>
    /// <param name="origin">Path of the checkpoint.</param>
    /// <param name="model">What it was to be loaded as: <c>CLIP ViT-B/32 (HF layout)</c>.</param>
    /// <param name="faults">Everything that does not fit.</param>
    public WeightMismatchException(string origin, string model, IReadOnlyList<WeightFault> faults) : base(Compose(origin, model, faults))
    {
        (Origin, Model, Faults) = (origin, model, faults);
    }

    /// <summary>Path of the checkpoint.</summary>
    public string Origin { get; }

    /// <summary>What it was to be loaded as.</summary>
    public string Model { get; }

    /// <summary>Everything that does not fit: missing and misshapen tensors in the order in which the model asks, then unused ones by name.</summary>
    public IReadOnlyList<WeightFault> Faults { get; }

    private static string Compose(string origin, string model, IReadOnlyList<WeightFault> faults)
    {
        var shown = faults.Take(MostListed).ToList();
        int width = Math.Min(WidestName, shown.Max(f => Name(f.Key).Length));
        var text = new StringBuilder($"{origin} does not fit {model}: {faults.Count} problem{(faults.Count == 1 ? "" : "s")}");
        foreach (var fault in shown)
        {
            text.Append('\n').Append("  ").Append(Word(fault.Kind).PadRight(10)).Append(Name(fault.Key).PadRight(width)).Append("    ").Append(Detail(fault));
            if (fault.AskedAs.Length > 0 && fault.AskedAs != fault.Key) text.Append(" (as ").Append(Name(fault.AskedAs)).Append(')');
            if (fault.File != origin) text.Append(" in ").Append(fault.File);
        }
        if (faults.Count > shown.Count) text.Append(CultureInfo.InvariantCulture, $"\n  … and {faults.Count - shown.Count} more");
        return text.ToString();
    }

    /// <summary>A name as it is; one that is too long or holds control characters is cut and quoted, since a file may be hostile.</summary>
    private static string Name(string name) => name.Length <= LongestPlain && !name.Any(c => char.IsControl(c) || char.IsSurrogate(c)) ? name : WeightFileException.Quote(name);

    private static string Word(WeightFaultKind kind) => kind switch
    {
        WeightFaultKind.Missing => "missing",
        WeightFaultKind.Shape => "shape",
        _ => "unused",
    };

    private static string Detail(WeightFault fault) => fault.Kind switch
    {
        WeightFaultKind.Missing => $"expected {fault.Expected}",
        WeightFaultKind.Shape => $"expected {fault.Expected}, found {fault.Found}",
        _ => $"found {fault.Found}",
    };
}
