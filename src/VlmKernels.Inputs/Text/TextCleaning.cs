namespace VlmKernels.Inputs;

/// <summary>What open_clip does to text before splitting it (its <c>clean</c> option).</summary>
public enum TextCleaning
{
    /// <summary>Repair, collapse white space, lower-case: the default.</summary>
    Lower,

    /// <summary>Repair, remove ASCII punctuation, lower-case, collapse white space.</summary>
    Canonicalize,

    /// <summary>Repair and collapse white space; case stays.</summary>
    Whitespace,
}
