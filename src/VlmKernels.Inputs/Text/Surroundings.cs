namespace VlmKernels.Inputs.Text;

/// <summary>The special tokens around one text (tokenizer.json: post_processor, for a single sequence).</summary>
/// <param name="Before">Ids in front.</param>
/// <param name="After">Ids behind.</param>
internal sealed record Surroundings(IReadOnlyList<int> Before, IReadOnlyList<int> After)
{
    public static Surroundings None { get; } = new([], []);

    public int Count => Before.Count + After.Count;
}
