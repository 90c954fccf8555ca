using System.Text.Json;

namespace VlmKernels.Inputs.Text;

/// <summary>Reads tokenizer.json of the tokenizers library.</summary>
internal static class TokenizerJson
{
    public static Tokenizer Read(string path, TokenizerConfig config)
    {
        var json = new JsonSection(JsonSection.Parse(path), path);
        // How long texts are cut and filled up is the caller's choice here.
        json.Ignore(["version", "truncation", "padding"]);
        var model = json.Section("model");
        ITokenModel tokens = TokenizerJsonModels.Read(model, out string endSuffix);
        INormalizer? normalizer = json.Take("normalizer") is { } n ? TokenizerJsonSteps.Normalizer(new JsonSection(n, path, "normalizer.")) : null;
        IPreTokenizer? pre = json.Take("pre_tokenizer") is { } p ? TokenizerJsonSteps.PreTokenizer(new JsonSection(p, path, "pre_tokenizer.")) : null;
        List<AddedToken> added = ReadAddedTokens(json, config, tokens.Vocabulary);
        int? Id(string token) => added.Find(t => t.Content == token)?.Id ?? tokens.Vocabulary.Id(token);
        Surroundings around = json.Take("post_processor") is { } post ? TokenizerJsonSteps.PostProcessor(new JsonSection(post, path, "post_processor."), Id) : Surroundings.None;
        ITokenDecoder decoder = TokenizerJsonSteps.Decoder(json.Section("decoder"), endSuffix);
        json.RequireAllRead();
        var tokenizer = new Tokenizer
        {
            Model = tokens,
            Normalizer = normalizer,
            PreTokenizer = pre,
            Added = new AddedTokens(added, normalizer),
            Surroundings = around,
            Decoder = decoder,
            Special = config.Resolve(Id),
            ModelMaxLength = config.ModelMaxLength,
        };
        // What is put around every text would otherwise reach the model as an id outside its table.
        foreach (int id in around.Before.Concat(around.After))
        {
            if (tokenizer.Token(id) is null) throw new ConfigFormatException(path, $"\"post_processor\": no token has the id {id}");
        }
        return tokenizer;
    }

    public static AddedToken ReadAddedToken(JsonSection json, int id)
    {
        string content = json.Text("content") ?? throw json.Missing("content");
        // The vocabulary's size is one more than the largest id.
        if (id is < 0 or int.MaxValue) throw new ConfigFormatException(json.File, $"the added token \"{content}\" has the id {id}");
        var token = new AddedToken(
            id, content, json.Flag("special", false), json.Flag("normalized", false), json.Flag("single_word", false), json.Flag("lstrip", false), json.Flag("rstrip", false));
        json.Ignore(["id", "__type"]);
        json.RequireAllRead();
        return token;
    }

    // The file's own tokens, those of tokenizer_config.json in their place where both define an id, and special tokens that only have a role.
    private static List<AddedToken> ReadAddedTokens(JsonSection json, TokenizerConfig config, Vocabulary vocabulary)
    {
        var added = new List<AddedToken>();
        if (json.Take("added_tokens") is { } list)
        {
            if (list.ValueKind != JsonValueKind.Array) throw json.Wrong("added_tokens", "an array", list);
            foreach (JsonElement token in list.EnumerateArray())
            {
                var section = new JsonSection(token, json.File, "added_tokens.");
                added.Add(ReadAddedToken(section, section.Whole("id") ?? throw section.Missing("id")));
            }
        }
        foreach (AddedToken token in config.Added)
        {
            added.RemoveAll(t => t.Id == token.Id);
            added.Add(token);
        }
        foreach (string token in config.RoleTokens.Concat(config.AdditionalSpecial).Distinct())
        {
            if (added.Find(t => t.Content == token) is { } known) added[added.IndexOf(known)] = known with { Special = true };
            else if (vocabulary.Id(token) is { } id) added.Add(new AddedToken(id, token, Special: true));
        }
        return added;
    }
}
