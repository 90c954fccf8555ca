using System.Text.Json;
using VlmKernels.Inputs;
using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>An object of a model's configuration file, read key by key with defaults. Keys that say nothing about inference are left alone.</summary>
internal sealed class ConfigSection(JsonElement json, string file, string prefix = "")
{
    /// <summary>An object without keys: everything takes its default.</summary>
    public static ConfigSection Empty(string file, string prefix) => new(default, file, prefix);

    /// <exception cref="ConfigFormatException">The file is no JSON object.</exception>
    public static ConfigSection Parse(ReadOnlySpan<byte> text, string file)
    {
        try
        {
            var reader = new Utf8JsonReader(text);
            using var document = JsonDocument.ParseValue(ref reader);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return new ConfigSection(document.RootElement.Clone(), file);
            throw new ConfigFormatException(file, $"expected a JSON object, found {document.RootElement.ValueKind}");
        }
        catch (JsonException e)
        {
            throw new ConfigFormatException($"{file}: not a JSON file ({e.Message})", e);
        }
    }

    /// <summary>A value; null when the key is absent or null.</summary>
    public JsonElement? Take(string key)
        => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public bool Has(string key) => Take(key) is not null;

    public ConfigSection? Section(string key) => Take(key) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Object } value => new ConfigSection(value, file, $"{prefix}{key}."),
        { } value => throw Wrong(key, "an object", value),
    };

    /// <summary>
    /// A section of old repositories may exist twice. The <c>_dict</c> one then counts alone: keys that it lacks take the class defaults, not the
    /// values of the plain section.
    /// </summary>
    public ConfigSection Effective(string key) => Section(key + "_dict") ?? Section(key) ?? Empty(file, key + ".");

    public int Whole(string key, int absent) => Take(key) switch
    {
        null => absent,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out int whole) => whole,
        { } value => throw Wrong(key, "a whole number", value),
    };

    public int Positive(string key, int absent)
    {
        int value = Whole(key, absent);
        return value > 0 ? value : throw Wrong(key, "a number above 0", Take(key)!.Value);
    }

    public double Number(string key, double absent) => Take(key) switch
    {
        null => absent,
        { ValueKind: JsonValueKind.Number } value when value.TryGetDouble(out double number) => number,
        { } value => throw Wrong(key, "a number", value),
    };

    /// <summary>ε of a norm: anything that is not finite, or below 0, makes every result a NaN.</summary>
    public float Epsilon(string key, double absent = 1e-5)
    {
        float value = (float)Number(key, absent);
        return float.IsFinite(value) && value >= 0 ? value : throw Wrong(key, "a finite number of 0 or more", Take(key)!.Value);
    }

    /// <summary>A whole number, or a list that holds one.</summary>
    public int WholeOrOnly(string key, int absent)
    {
        if (Take(key) is not { ValueKind: JsonValueKind.Array } list) return Whole(key, absent);
        return list.GetArrayLength() == 1 && list[0].ValueKind == JsonValueKind.Number && list[0].TryGetInt32(out int only) ? only : throw Wrong(key, "one whole number", list);
    }

    public bool Flag(string key) => Take(key) switch
    {
        null or { ValueKind: JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.True } => true,
        { } value => throw Wrong(key, "true or false", value),
    };

    public string Text(string key, string absent) => Take(key) switch
    {
        null => absent,
        { ValueKind: JsonValueKind.String } value => value.GetString()!,
        { } value => throw Wrong(key, "a string", value),
    };

    /// <summary>One number, or two equal ones.</summary>
    public int Square(string key, int absent)
    {
        if (Take(key) is not { ValueKind: JsonValueKind.Array } pair) return Positive(key, absent);
        if (pair.GetArrayLength() == 2 && pair[0].TryGetInt32(out int height) && pair[1].TryGetInt32(out int width) && height == width && height > 0) return height;
        throw Wrong(key, "a number or two equal ones", pair);
    }

    public Activation Activation(string key, string absent) => Text(key, absent) switch
    {
        "quick_gelu" => Kernels.Activation.QuickGelu,
        "gelu" => Kernels.Activation.Gelu,
        "gelu_new" or "gelu_pytorch_tanh" => Kernels.Activation.GeluTanh,
        "relu" => Kernels.Activation.Relu,
        "silu" or "swish" => Kernels.Activation.Silu,
        _ => throw Wrong(key, "quick_gelu, gelu, gelu_pytorch_tanh, relu or silu", Take(key)!.Value),
    };

    /// <summary>Refuses a setting that this version does not build, unless it has the one value that changes nothing.</summary>
    public void Refuse(string key, Func<JsonElement, bool> isInert)
    {
        if (Take(key) is { } value && !isInert(value)) throw new ConfigFormatException(file, $"\"{prefix}{key}\" = {value.GetRawText()} is not supported by this version");
    }

    public ConfigFormatException Wrong(string key, string expected, JsonElement found) => new(file, $"\"{prefix}{key}\": expected {expected}, found {found.GetRawText()}");
}
