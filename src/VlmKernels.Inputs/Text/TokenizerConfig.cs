using System.Text.Json;

namespace VlmKernels.Inputs.Text;

/// <summary>What tokenizer_config.json and special_tokens_map.json say: class, roles of special tokens, tokens to add.</summary>
internal sealed class TokenizerConfig
{
    private static readonly string[] RoleKeys = ["bos_token", "eos_token", "pad_token", "unk_token", "cls_token", "sep_token", "mask_token"];

    private readonly Dictionary<string, string> roles = [];

    public string? Class { get; private set; }

    public int? ModelMaxLength { get; private set; }

    public bool LowerCase { get; private set; } = true;

    /// <summary>Special tokens without a role of their own.</summary>
    public List<string> AdditionalSpecial { get; } = [];

    /// <summary>Tokens that the configuration defines with ids.</summary>
    public List<AddedToken> Added { get; } = [];

    public IEnumerable<string> RoleTokens => roles.Values;

    public static TokenizerConfig Read(string folder)
    {
        var config = new TokenizerConfig();
        // The configuration wins over the older map.
        foreach (string name in (ReadOnlySpan<string>)["special_tokens_map.json", "tokenizer_config.json"])
        {
            string path = Path.Combine(folder, name);
            if (File.Exists(path)) config.Read(new JsonSection(JsonSection.Parse(path), path));
        }
        return config;
    }

    /// <summary>The text of a role, or the class's default.</summary>
    public string Role(string key, string absent) => roles.GetValueOrDefault(key, absent);

    /// <summary>The roles as ids.</summary>
    public SpecialTokens Resolve(Func<string, int?> id)
    {
        int? Id(string key) => roles.TryGetValue(key, out string? token) ? id(token) : null;
        return new(Id("bos_token"), Id("eos_token"), Id("pad_token"), Id("unk_token"), Id("cls_token"), Id("sep_token"), Id("mask_token"));
    }

    /// <summary>Sets a role that the files leave open.</summary>
    public void Default(string key, string token) => roles.TryAdd(key, token);

    private void Read(JsonSection json)
    {
        foreach (string key in RoleKeys)
        {
            if (json.Take(key) is { } token) roles[key] = TokenText(json, key, token);
        }
        Class = json.Text("tokenizer_class") ?? Class;
        LowerCase = json.Flag("do_lower_case", LowerCase);
        // Files write 1e30 for "no limit".
        if (json.Number("model_max_length") is { } length and > 0 and < int.MaxValue) ModelMaxLength = (int)length;
        if (json.Take("additional_special_tokens") is { ValueKind: JsonValueKind.Array } more)
        {
            foreach (JsonElement token in more.EnumerateArray()) AdditionalSpecial.Add(TokenText(json, "additional_special_tokens", token));
        }
        if (json.Take("added_tokens_decoder") is { ValueKind: JsonValueKind.Object } added)
        {
            foreach (JsonProperty token in added.EnumerateObject())
            {
                if (!int.TryParse(token.Name, out int id)) throw json.Wrong("added_tokens_decoder", "ids as keys", added);
                Added.Add(TokenizerJson.ReadAddedToken(new JsonSection(token.Value, json.File, "added_tokens_decoder."), id));
            }
        }
    }

    private static string TokenText(JsonSection json, string key, JsonElement token) => token.ValueKind switch
    {
        JsonValueKind.String => token.GetString()!,
        JsonValueKind.Object when token.TryGetProperty("content", out JsonElement content) && content.ValueKind == JsonValueKind.String => content.GetString()!,
        _ => throw json.Wrong(key, "a token", token),
    };
}
