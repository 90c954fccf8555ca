using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>Texts as token ids of one length, on the host.</summary>
/// <param name="ids">Token ids, text after text, batch · length of them.</param>
/// <param name="batch">Number of texts.</param>
/// <param name="length">Tokens per text, padding included.</param>
/// <param name="attentionMask">For every id 1, or 0 where no token may look at it; empty: all count.</param>
public readonly ref struct TextIds(ReadOnlySpan<int> ids, int batch, int length, ReadOnlySpan<byte> attentionMask = default)
{
    /// <summary>Token ids, text after text.</summary>
    public ReadOnlySpan<int> Ids { get; } = ids;

    /// <summary>Number of texts.</summary>
    public int Batch { get; } = batch;

    /// <summary>Tokens per text.</summary>
    public int Length { get; } = length;

    /// <summary>For every id whether tokens may look at it; empty: all count.</summary>
    public ReadOnlySpan<byte> AttentionMask { get; } = attentionMask;

    /// <summary>Checks the texts against a model.</summary>
    /// <exception cref="ArgumentException">The number of ids or mask values is wrong, the texts are too long, or an id is outside the vocabulary.</exception>
    public void Check(int vocabulary, int context)
    {
        if (Length > context) throw new ArgumentException($"texts of {Length} tokens do not fit the model's context of {context}");
        if (Batch <= 0 || Length <= 0 || Ids.Length != Batch * Length) throw new ArgumentException($"expected {Batch} × {Length} ids, found {Ids.Length}");
        if (!AttentionMask.IsEmpty && AttentionMask.Length != Ids.Length) throw new ArgumentException($"expected {Ids.Length} mask values, found {AttentionMask.Length}");
        for (int i = 0; i < Ids.Length; i++)
        {
            if ((uint)Ids[i] < (uint)vocabulary) continue;
            throw new ArgumentException($"id {Ids[i]} of text {i / Length}, token {i % Length}, is outside the vocabulary of {vocabulary}");
        }
    }

    /// <summary>Some of the texts, in the order of their indices, which may repeat.</summary>
    public TextIds Pick(ReadOnlySpan<int> texts)
    {
        var ids = new int[texts.Length * Length];
        var mask = AttentionMask.IsEmpty ? [] : new byte[ids.Length];
        for (int i = 0; i < texts.Length; i++)
        {
            Ids.Slice(texts[i] * Length, Length).CopyTo(ids.AsSpan(i * Length));
            if (mask.Length > 0) AttentionMask.Slice(texts[i] * Length, Length).CopyTo(mask.AsSpan(i * Length));
        }
        return new TextIds(ids, texts.Length, Length, mask);
    }

    /// <summary>Brings the ids to the device: [batch, length] I.</summary>
    public Tensor CopyIn(Session s)
    {
        var tokens = s.TakeInt(Batch, Length);
        s.CopyIn(Ids, tokens);
        return tokens;
    }

    /// <summary>The mask that hides padding, on the device.</summary>
    public Mask PaddingMask(Session s)
    {
        if (AttentionMask.IsEmpty) return default;
        var valid = s.TakeBytes(Batch, Length);
        s.CopyIn(AttentionMask, valid);
        return new Mask { KeyValid = valid };
    }
}
