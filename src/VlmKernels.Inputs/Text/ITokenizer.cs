namespace VlmKernels.Inputs;

/// <summary>A text tokenizer with its special tokens. Instances do not change and may be shared by threads.</summary>
public interface ITokenizer
{
    /// <summary>One more than the largest id.</summary>
    int VocabularySize { get; }

    /// <summary>The ids of the special tokens by role.</summary>
    SpecialTokens Special { get; }

    /// <summary>The length that the tokenizer's files give as the model's longest input (77 for CLIP), or null.</summary>
    int? ModelMaxLength { get; }

    /// <summary>Text to ids.</summary>
    /// <param name="text">Any string; unpaired surrogates count as U+FFFD.</param>
    /// <param name="addSpecialTokens">Whether the beginning and end tokens of the model are put around.</param>
    /// <exception cref="ConfigFormatException">A pattern or replacement of a hostile tokenizer file takes too long or makes the text too long.</exception>
    int[] Encode(string text, bool addSpecialTokens = true);

    /// <summary>Ids to text, with U+FFFD for incomplete UTF-8. Ids that the vocabulary lacks are left out.</summary>
    /// <param name="ids">Token ids.</param>
    /// <param name="skipSpecialTokens">Whether special tokens are left out of the text.</param>
    /// <param name="cleanUp">Whether blanks before punctuation and contractions are removed (transformers' clean_up_tokenization_spaces).</param>
    string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true, bool cleanUp = false);

    /// <summary>The id of a token of the vocabulary, written as the vocabulary writes it; null when there is none.</summary>
    int? TokenId(string token);

    /// <summary>The token of an id, written as the vocabulary writes it; null when there is none.</summary>
    string? Token(int id);

    /// <summary>Text to a fixed number of ids: special tokens around, cut or filled up.</summary>
    /// <param name="text">Any string.</param>
    /// <param name="length">Number of ids.</param>
    /// <param name="truncate">Whether text that is too long is cut, the end token kept; otherwise it is an error.</param>
    /// <exception cref="ArgumentException">The text has too many tokens and <paramref name="truncate"/> is false; or length leaves no room for the special tokens.</exception>
    PaddedIds EncodePadded(string text, int length, bool truncate = true);
}

/// <summary>Ids of special tokens; null where a tokenizer has none in that role.</summary>
/// <param name="Begin">Start of text.</param>
/// <param name="End">End of text.</param>
/// <param name="Pad">Fills up to a fixed length.</param>
/// <param name="Unknown">Stands for what the vocabulary lacks.</param>
/// <param name="Classify">BERT's [CLS].</param>
/// <param name="Separate">BERT's [SEP].</param>
/// <param name="Mask">BERT's [MASK].</param>
public sealed record SpecialTokens(int? Begin = null, int? End = null, int? Pad = null, int? Unknown = null, int? Classify = null, int? Separate = null, int? Mask = null);

/// <summary>Ids of fixed length.</summary>
/// <param name="Ids">[length] token ids, filled up with the padding id.</param>
/// <param name="Count">How many ids in front are text: the number of ones of the attention mask.</param>
public sealed record PaddedIds(IReadOnlyList<int> Ids, int Count);
