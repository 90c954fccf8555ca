using VlmKernels.Inputs;

namespace VlmKernels.Models;

/// <summary>Texts to BLIP's ids and back, by the conventions of a checkpoint's layout: cleaning, first tokens, lengths, what is cut off.</summary>
/// <param name="tokenizer">The checkpoint's tokenizer.</param>
/// <param name="config">The model.</param>
public sealed class BlipText(ITokenizer tokenizer, BlipConfig config)
{
    // Words of a matched caption and of a statement (train_retrieval.py, nlvr_dataset.py).
    private const int MatchWords = 30, StatementWords = 40;

    private BlipConventions Conventions => config.Conventions;

    /// <summary>What a caption goes on from: [DEC] and the prompt.</summary>
    /// <param name="prompt">Its first words; null: the layout's own.</param>
    public int[] CaptionPrompt(string? prompt = null) => [config.Tokens.Begin, .. tokenizer.Encode(prompt ?? Conventions.CaptionPrompt, addSpecialTokens: false)];

    /// <summary>
    /// What transformers makes of several prompts at once: it takes off the last column, which is the [SEP] of the longest one only. Shorter ones keep
    /// theirs and go on behind it. Where prompts differ by more than a token transformers also keeps padding, hides it and counts positions over it;
    /// here it is left out.
    /// </summary>
    public int[][] CaptionPromptsInOneBatch(IReadOnlyList<string> prompts)
    {
        int[][] ids = [.. prompts.Select(p => tokenizer.Encode(p))];
        int kept = ids.Max(i => i.Length) - 1;
        return [.. ids.Select(i => (int[])[config.Tokens.Begin, .. i[1..Math.Min(i.Length, kept)]])];
    }

    /// <summary>A question: cleaned, cut to 35 tokens in the original layout, [ENC] or [CLS] first.</summary>
    public int[] Question(string text)
        => Conventions.CleansText ? Encode(BlipCleaning.Question(text), Conventions.AsksWithEncode, BlipMatcher.TextLength) : Encode(text, Conventions.AsksWithEncode, null);

    /// <summary>An answer that is judged: [DEC] first, [SEP] last.</summary>
    public int[] Answer(string text) => [config.Tokens.Begin, .. tokenizer.Encode(text)[1..]];

    /// <summary>A caption that is judged: [DEC] and the layout's prompt first, [SEP] last.</summary>
    public int[] Caption(string text) => [config.Tokens.Begin, .. tokenizer.Encode(Conventions.CaptionPrompt + Cleaned(text, MatchWords))[1..]];

    /// <summary>A text that is compared with pictures by cosine, [CLS] first; cut to 35 tokens in the original layout, to the context otherwise.</summary>
    public int[] Comparison(string text) => Encode(Cleaned(text, MatchWords), isRead: false, TextLength);

    /// <summary>True when <see cref="Comparison"/> leaves out the end of a text.</summary>
    public bool IsCut(string text) => tokenizer.Encode(Cleaned(text, int.MaxValue)).Length > Comparison(text).Length;

    /// <summary>A text that is read together with a picture, [ENC] or [CLS] first; cut likewise.</summary>
    public int[] Match(string text) => Encode(Cleaned(text, MatchWords), Conventions.MatchesWithEncode, TextLength);

    /// <summary>A statement about two pictures, [ENC] first.</summary>
    public int[] Statement(string text) => Encode(Cleaned(text, StatementWords), isRead: true, null);

    /// <summary>Fills texts up: to 35 tokens where the original compares texts, to the longest otherwise.</summary>
    public TokenBatch Pad(IReadOnlyList<int[]> texts, bool toTextLength = false) => TokenBatch.Pad(texts, config.Tokens.Pad, toTextLength && Conventions.CleansText ? TextLength : null);

    /// <summary>A generated text without special tokens.</summary>
    public string Decode(IEnumerable<int> ids) => tokenizer.Decode([.. ids]);

    /// <summary>A generated caption without special tokens and, in the original layout, without as many characters as its prompt has.</summary>
    public string DecodeCaption(IEnumerable<int> ids)
    {
        string text = Decode(ids);
        return text.Length > Conventions.CaptionPrompt.Length ? text[Conventions.CaptionPrompt.Length..] : Conventions.CaptionPrompt.Length == 0 ? text : "";
    }

    private int TextLength => Conventions.CleansText ? Math.Min(BlipMatcher.TextLength, config.Text.Context) : config.Text.Context;

    private string Cleaned(string text, int words) => Conventions.CleansText ? BlipCleaning.Caption(text, words) : text;

    private int[] Encode(string text, bool isRead, int? most)
    {
        int[] ids = tokenizer.Encode(text);
        if (most is { } limit && ids.Length > limit) ids = [.. ids[..(limit - 1)], ids[^1]];
        if (isRead) ids[0] = config.Tokens.Encode;
        return ids;
    }
}
