using System.Text;
using VlmKernels.Weights;

namespace VlmKernels.Tasks;

/// <summary>Tensors of equal type and shape whose names differ in one or more numbers only.</summary>
/// <param name="Pattern">Name with ranges: <c>vision_model.encoder.layers.{0…11}.mlp.fc1.weight</c>.</param>
/// <param name="Type">Type in the file: <c>F16</c>.</param>
/// <param name="Shape">Shape: <c>[3072, 768]</c>.</param>
/// <param name="Count">How many tensors there are.</param>
/// <param name="Parameters">Elements of all of them.</param>
/// <param name="Bytes">Bytes of all of them in the file.</param>
public sealed record TensorGroup(string Pattern, string Type, string Shape, int Count, long Parameters, long Bytes);

/// <summary>Makes a checkpoint with hundreds of tensors readable: repeated layers become one line.</summary>
public static class TensorTree
{
    /// <summary>Groups tensors, in the order of their names.</summary>
    public static IReadOnlyList<TensorGroup> Group(IEnumerable<StoredTensor> tensors) =>
    [
        .. tensors.GroupBy(t => (Key: Numberless(t.Name), t.DType, Shape: ShapeText(t)))
            .Select(g => new TensorGroup(Pattern([.. g.Select(t => t.Name)]), g.Key.DType.Name(), g.Key.Shape, g.Count(), g.Sum(t => t.ElementCount), g.Sum(t => t.ByteLength)))
            .OrderBy(g => g.Pattern, StringComparer.Ordinal),
    ];

    private static string ShapeText(StoredTensor t) => $"[{string.Join(", ", t.Shape)}]";

    private static string Numberless(string name) => string.Join('.', name.Split('.').Select(p => IsNumber(p) ? "#" : p));

    private static bool IsNumber(string part) => part.Length is > 0 and < 10 && part.All(char.IsAsciiDigit);

    private static string Pattern(string[] names)
    {
        if (names.Length == 1) return names[0];
        string[][] parts = [.. names.Select(n => n.Split('.'))];
        var text = new StringBuilder();
        for (int i = 0; i < parts[0].Length; i++)
        {
            if (i > 0) text.Append('.');
            string[] values = [.. parts.Select(p => p[i]).Distinct()];
            text.Append(values.Length == 1 ? values[0] : Range([.. values.Select(int.Parse).Order()]));
        }
        return text.ToString();
    }

    private static string Range(int[] numbers)
        => numbers[^1] - numbers[0] == numbers.Length - 1 ? $"{{{numbers[0]}…{numbers[^1]}}}" : $"{{{string.Join(",", numbers)}}}";
}
