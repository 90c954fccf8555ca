namespace VlmKernels.Tasks;

/// <summary>File format of embeddings.</summary>
public enum RowFormat
{
    /// <summary>NumPy's format 1.0.</summary>
    Npy,

    /// <summary>One tensor named <c>embeddings</c>.</summary>
    Safetensors,
}

/// <summary>What to embed a list into.</summary>
/// <param name="Output">The folder; made when it is not there.</param>
public sealed record EmbedOptions(string Output)
{
    /// <summary>True: the inputs are texts. False: they are paths of pictures.</summary>
    public bool Texts { get; init; }

    /// <summary>File format of the embeddings.</summary>
    public RowFormat Format { get; init; }

    /// <summary>True: 16 bit floats, rounded to nearest. False: 32 bit.</summary>
    public bool Half { get; init; }

    /// <summary>Inputs of a pass; null: as many as the model takes at once. It changes no bit of the result.</summary>
    public int? Batch { get; init; }

    /// <summary>The part of the inputs to embed.</summary>
    public Shard Shard { get; init; } = Shard.Whole;

    /// <summary>Whether photos are turned as their EXIF orientation says.</summary>
    public bool Orient { get; init; } = true;

    /// <summary>True: deletes what an earlier run of the shard left. False: goes on from there.</summary>
    public bool Overwrite { get; init; }
}
