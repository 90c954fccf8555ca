using System.Text;

namespace VlmKernels.Inputs.Text;

/// <summary>Turns tokens back into text (tokenizer.json: decoder).</summary>
internal interface ITokenDecoder
{
    string Decode(IReadOnlyList<string> tokens);
}

/// <summary>Byte alphabet back to UTF-8, incomplete sequences becoming U+FFFD (tokenizer.json: ByteLevel).</summary>
/// <param name="EndSuffix">Replaced by a blank (CLIP's &lt;/w&gt;); empty for none.</param>
/// <param name="Strip">Whether white space at both ends is removed afterwards, as transformers' CLIPTokenizer does.</param>
internal sealed record ByteLevelDecoder(string EndSuffix = "", bool Strip = false) : ITokenDecoder
{
    public string Decode(IReadOnlyList<string> tokens)
    {
        string text = Encoding.UTF8.GetString(ByteAlphabet.Decode(tokens));
        if (EndSuffix.Length > 0) text = text.Replace(EndSuffix, " ", StringComparison.Ordinal);
        return Strip ? WhiteSpace.Strip(text) : text;
    }
}

/// <summary>Where a WordPiece decoder removes blanks before punctuation and contractions.</summary>
internal enum WordPieceCleanUp
{
    /// <summary>Nowhere.</summary>
    None,
    /// <summary>In one token at a time, as the tokenizers library does.</summary>
    Token,
    /// <summary>In the whole text, as transformers' slow tokenizers do.</summary>
    Text,
}

/// <summary>Words with blanks between, continuations joined (tokenizer.json: WordPiece).</summary>
internal sealed record WordPieceDecoder(string Prefix, WordPieceCleanUp CleanUp) : ITokenDecoder
{
    public string Decode(IReadOnlyList<string> tokens)
    {
        var text = new StringBuilder();
        for (int i = 0; i < tokens.Count; i++)
        {
            string token = tokens[i];
            if (i > 0) token = token.StartsWith(Prefix, StringComparison.Ordinal) ? token[Prefix.Length..] : " " + token;
            text.Append(CleanUp == WordPieceCleanUp.Token ? TokenSpaces.CleanUp(token).Replace(" do not", " don't", StringComparison.Ordinal) : token);
        }
        return CleanUp == WordPieceCleanUp.Text ? TokenSpaces.CleanUp(text.ToString()) : text.ToString();
    }
}

/// <summary>transformers' clean_up_tokenization: no blank before punctuation and English contractions.</summary>
internal static class TokenSpaces
{
    private static readonly (string From, string To)[] Rules =
        [(" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re")];

    public static string CleanUp(string text) => Rules.Aggregate(text, (t, rule) => t.Replace(rule.From, rule.To, StringComparison.Ordinal));
}
