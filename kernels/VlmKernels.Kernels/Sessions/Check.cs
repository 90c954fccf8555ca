using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels;

/// <summary>The checks that <see cref="CheckedOps"/> is written in. Texts are built only when a check fails.</summary>
internal readonly ref struct Check(string op)
{
    private readonly string _op = op;

    /// <summary>The condition, or an exception with the interpolated text.</summary>
    public void That(bool condition, [InterpolatedStringHandlerArgument("condition")] ref FailureText text)
    {
        if (!condition) throw new ContractException($"{_op}: {text.ToString()}");
    }

    public void That(bool condition, string text)
    {
        if (!condition) throw new ContractException($"{_op}: {text}");
    }

    public void Given(string name, Tensor t, DType type)
    {
        That(!t.IsNone, $"{name} is not given");
        That(t.Type == type, $"{name} must be {type}, found {t}");
        That(t.Pitch >= t.Columns && t.Offset >= 0 && t.Offset + t.Span <= t.Storage!.Bytes, $"{name} {t} with pitch {t.Pitch} reaches outside its memory");
    }

    /// <summary>A result: given, and not in memory that only the host may write to.</summary>
    public void Written(string name, Tensor t, DType type)
    {
        Given(name, t, type);
        That(!t.Storage!.IsReadOnly, $"{name} {t} lies in read-only memory");
    }

    public void Map(string name, Tensor t, DType type)
    {
        Given(name, t, type);
        That(t.Shape.Rank == 4 && t.IsDense, $"{name} must be a dense map [b, h, w, c], found {t}");
    }

    public void Weight(PackedWeight? weight, WeightUse use)
    {
        That(weight is not null, "the weight is not given");
        That(weight!.Use == use, $"{weight.Key} is packed for {weight.Use}");
    }

    public void Columns(string name, Tensor t, int columns, string key, string what) => That(t.Columns == columns, $"{name} is {t.Shape}, but {key} takes {columns} {what}");

    public void Shape(string name, Tensor t, Shape expected)
    {
        That(!t.IsNone && t.Shape == expected, $"{name} must be {expected}, found {t}");
    }

    /// <summary>An F32 operand of exactly this shape.</summary>
    public void Matrix(string name, Tensor t, Shape expected)
    {
        Given(name, t, DType.F32);
        Shape(name, t, expected);
    }

    public void Dense(string name, Tensor t, Shape expected)
    {
        Matrix(name, t, expected);
        That(t.IsDense, $"{name} must be dense, found pitch {t.Pitch}");
    }

    public void Vector(string name, Tensor t, DType type, long count)
    {
        Given(name, t, type);
        That(t.Shape.Count == count && t.IsDense, $"{name} must hold {count} values, found {t}");
    }

    public void SameRows(string first, Tensor a, string second, Tensor b) => That(a.Rows == b.Rows, $"{first} is {a.Shape}, but {second} is {b.Shape}");

    public void SameMatrix(string first, Tensor a, string second, Tensor b)
    {
        That(!b.IsNone && a.Type == b.Type, $"{first} and {second} must have one type, found {a} and {b}");
        That(a.Rows == b.Rows && a.Columns == b.Columns, $"{first} is {a.Shape}, but {second} is {b.Shape}");
    }

    public void Windows(Tensor x, Tensor y, Stencil s, int outputs)
    {
        That(s is { Kernel: > 0, Stride: > 0, PadBefore: >= 0, PadAfter: >= 0 }, $"{s} is no window");
        int h = x.Shape[1], w = x.Shape[2];
        That(h + s.PadBefore + s.PadAfter >= s.Kernel && w + s.PadBefore + s.PadAfter >= s.Kernel, $"{s} does not fit {x.Shape}");
        Shape("y", y, new Shape(x.Shape[0], s.Windows(h), s.Windows(w), outputs));
    }

    public void Epilogue(Epilogue e, Tensor y)
    {
        if (e.Residual.IsNone) return;
        Given("residual", e.Residual, y.Type);
        SameMatrix("y", y, "residual", e.Residual);
        SameOrApart("residual", e.Residual, "y", y);
    }

    /// <summary>Rows start + g·stride … + count of every group lie inside.</summary>
    public void Rows(string name, Tensor t, int start, int stride, int groups, int count)
    {
        long last = start + ((long)(groups - 1) * stride) + count;
        That(groups == 0 || (start >= 0 && stride >= 0 && last <= t.Rows), $"rows up to {last} of {name} {t.Shape}");
    }

    public void SameOrApart(string first, Tensor a, string second, Tensor b)
    {
        if (a.Storage == b.Storage && a.Offset == b.Offset && a.Pitch == b.Pitch) return;
        Apart(first, a, second, b);
    }

    public void Apart(string first, Tensor a, string second, Tensor b)
    {
        if (a.Storage != b.Storage || a.Offset >= b.Offset + b.Span || b.Offset >= a.Offset + a.Span) return;
        That(ColumnsApart(a, b), $"{first} {a} overlaps {second} {b}");
    }

    /// <summary>Column slices of one matrix interleave in memory without sharing an element.</summary>
    private static bool ColumnsApart(Tensor a, Tensor b)
    {
        if (a.Pitch != b.Pitch || a.Type.Size() != b.Type.Size()) return false;
        long pitch = a.Pitch * (long)a.Type.Size(), width = a.Type.Size();
        long between = (((b.Offset - a.Offset) % pitch) + pitch) % pitch;
        return between >= a.Columns * width && between + (b.Columns * width) <= pitch;
    }
}

/// <summary>An interpolated text that is formatted only when the condition before it is false.</summary>
[InterpolatedStringHandler]
internal ref struct FailureText
{
    private DefaultInterpolatedStringHandler _text;

    public FailureText(int literalLength, int formattedCount, bool condition, out bool needed)
    {
        needed = !condition;
        if (needed) _text = new DefaultInterpolatedStringHandler(literalLength, formattedCount);
    }

    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    public override string ToString() => _text.ToStringAndClear();
}
