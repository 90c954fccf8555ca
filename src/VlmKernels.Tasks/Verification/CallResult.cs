using System.Text.Json;

namespace VlmKernels.Tasks.Verification;

/// <summary>What a call gave, by the names that golden cases use.</summary>
internal sealed class CallResult
{
    /// <summary>Results.</summary>
    public Dictionary<string, HostTensor> Outputs { get; } = [];

    /// <summary>Intermediate values on demand; null for a stage that is not known.</summary>
    public Func<string, HostTensor?> Mid { get; init; } = _ => null;

    /// <summary>Values for expected literals, as nested rows.</summary>
    public Dictionary<string, HostTensor> Facts { get; } = [];

    /// <summary>Values for expected literals whose rows differ in length; a flat literal is one row.</summary>
    public Dictionary<string, int[][]> Lists { get; } = [];

    /// <summary>Values for expected texts; a flat literal is one row.</summary>
    public Dictionary<string, string[][]> Texts { get; } = [];
}

/// <summary>A call in progress: the inputs and settings, of which none may be left unread.</summary>
internal sealed class CallRequest(GoldenCase golden, GoldenCall call)
{
    // What a golden says to people.
    private const string Comment = "note";

    private readonly HashSet<string> _unread = [.. call.Inputs.Keys.Select(k => "input " + k), .. call.Options.Keys.Where(k => k != Comment).Select(k => "option " + k)];

    public string Folder => golden.Folder;

    /// <summary>Inputs and options that no one read: the call would not be what the reference ran.</summary>
    public IReadOnlyCollection<string> Unread => _unread;

    public bool Has(string input) => call.Inputs.ContainsKey(input);

    public HostTensor Floats(string input) => golden.Floats(TensorName(input));

    public (int[] Shape, long[] Values) Integers(string input) => golden.Integers(TensorName(input));

    /// <summary>A list of texts; a single one is a list, too.</summary>
    public string[] Texts(string input)
    {
        var texts = Input(input);
        return texts.ValueKind == JsonValueKind.String ? [texts.GetString()!] : [.. texts.EnumerateArray().Select(t => t.GetString()!)];
    }

    public int Whole(string input) => Input(input).GetInt32();

    /// <summary>A setting, or null.</summary>
    public JsonElement? Option(string name)
    {
        _unread.Remove("option " + name);
        return call.Options.TryGetValue(name, out var value) ? value : null;
    }

    /// <summary>Reads a setting that says what is done anyway; null when it is absent.</summary>
    /// <exception cref="InvalidDataException">It says something else.</exception>
    public string? Confirm(string option, params ReadOnlySpan<string> known)
    {
        if (Option(option) is not { } value) return null;
        string text = value.ToString();
        return known.Contains(text) ? text : throw new InvalidDataException($"{option}: expected {string.Join(" or ", known)}, found {text}");
    }

    public bool Flag(string option) => Option(option) is { ValueKind: JsonValueKind.True };

    private string TensorName(string input) => Input(input).GetString()!;

    private JsonElement Input(string name)
    {
        _unread.Remove("input " + name);
        return call.Inputs.TryGetValue(name, out var value) ? value : throw new InvalidDataException($"{call.Name} has no input {name}");
    }
}
