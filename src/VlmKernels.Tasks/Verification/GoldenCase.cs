using System.Text.Json;
using VlmKernels.Weights;

namespace VlmKernels.Tasks.Verification;

/// <summary>One call of a golden case: what to run with which inputs, and what must come out.</summary>
/// <param name="Name">What to call: <c>image_features</c>.</param>
/// <param name="Inputs">By argument: the name of a tensor, or a literal.</param>
/// <param name="Outputs">By result: the name of its golden tensor.</param>
/// <param name="Mids">By intermediate stage: the name of its golden tensor.</param>
/// <param name="Options">Settings of the call.</param>
/// <param name="Expect">Literals that must come out.</param>
public sealed record GoldenCall(
    string Name, IReadOnlyDictionary<string, JsonElement> Inputs, IReadOnlyDictionary<string, string> Outputs, IReadOnlyDictionary<string, string> Mids,
    IReadOnlyDictionary<string, JsonElement> Options, IReadOnlyDictionary<string, JsonElement> Expect);

/// <summary>A folder with a checkpoint, <c>golden.json</c> (calls, tolerances) and <c>golden.safetensors</c> (inputs, intermediates, results of the reference).</summary>
public sealed class GoldenCase : IDisposable
{
    // Options that name a second checkpoint of a call.
    private static readonly string[] CompanionKeys = ["filter"];

    private readonly SafetensorsFile _tensors;

    private GoldenCase(string folder, JsonElement json, SafetensorsFile tensors)
    {
        Folder = folder;
        Name = Required(json, "case").GetString()!;
        Family = Required(json, "family").GetString()!;
        var tolerance = Required(json, "tolerance");
        (MidTolerance, OutTolerance) = (Required(tolerance, "mid").GetDouble(), Required(tolerance, "out").GetDouble());
        Calls = [.. Required(json, "calls").EnumerateArray().Select(ReadCall)];
        ModelOptions = json.TryGetProperty("model_options", out var options) ? options : null;
        Companions = [.. Calls.SelectMany(c => CompanionKeys.Select(c.Options.GetValueOrDefault)).Where(f => f.ValueKind == JsonValueKind.String).Select(f => f.GetString()!)];
        _tensors = tensors;
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>Name of the case.</summary>
    public string Name { get; }

    /// <summary>Architecture: <c>clip</c>.</summary>
    public string Family { get; }

    /// <summary>Largest error of an intermediate value.</summary>
    public double MidTolerance { get; }

    /// <summary>Largest error of a result.</summary>
    public double OutTolerance { get; }

    /// <summary>The calls.</summary>
    public IReadOnlyList<GoldenCall> Calls { get; }

    /// <summary>What the reference's code says about the checkpoint and no file tells; null when there is nothing.</summary>
    public JsonElement? ModelOptions { get; }

    /// <summary>Checkpoint files that only serve calls of another one.</summary>
    public IReadOnlyCollection<string> Companions { get; }

    /// <summary>The golden tensors by name.</summary>
    public IReadOnlyDictionary<string, StoredTensor> Tensors => _tensors.Tensors;

    /// <summary>Opens a case.</summary>
    /// <exception cref="InvalidDataException"><c>golden.json</c> is not what it should be.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="WeightFileException"><c>golden.safetensors</c> cannot be read.</exception>
    public static GoldenCase Open(string folder)
    {
        string path = Path.Combine(folder, "golden.json");
        var tensors = SafetensorsFile.Open(Path.Combine(folder, "golden.safetensors"));
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return new GoldenCase(folder, document.RootElement.Clone(), tensors);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            tensors.Dispose();
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Family of the case in a folder, read without its tensors.</summary>
    /// <exception cref="InvalidDataException"><c>golden.json</c> is not what it should be.</exception>
    public static string FamilyOf(string folder)
    {
        string path = Path.Combine(folder, "golden.json");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return Required(document.RootElement, "family").GetString() ?? "unknown";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Reads a golden tensor as floats.</summary>
    /// <exception cref="InvalidDataException">There is no such tensor.</exception>
    public HostTensor Floats(string name)
    {
        var tensor = Tensor(name);
        var values = new float[tensor.ElementCount];
        tensor.ReadFloats(0, values);
        return new HostTensor(ShapeOf(tensor), values);
    }

    /// <summary>Reads a golden tensor as integers: ids, masks.</summary>
    /// <exception cref="InvalidDataException">There is no such tensor.</exception>
    public (int[] Shape, long[] Values) Integers(string name)
    {
        var tensor = Tensor(name);
        var values = new long[tensor.ElementCount];
        tensor.ReadInt64s(0, values);
        return (ShapeOf(tensor), values);
    }

    /// <summary>True when a golden tensor holds integers, which must come out equal.</summary>
    public bool IsInteger(string name) => Tensor(name).DType.IsInteger();

    /// <summary>Closes the file of tensors.</summary>
    public void Dispose() => _tensors.Dispose();

    private static JsonElement Required(JsonElement json, string key)
        => json.TryGetProperty(key, out var value) ? value : throw new KeyNotFoundException($"\"{key}\" is missing");

    private static int[] ShapeOf(StoredTensor tensor) => [.. tensor.Shape.Select(e => checked((int)e))];

    private static GoldenCall ReadCall(JsonElement call) => new(
        Required(call, "name").GetString()!, Members(call, "inputs"), Names(call, "outputs"), Names(call, "mids"), Members(call, "options"), Members(call, "expect"));

    private static Dictionary<string, string> Names(JsonElement call, string key) => Members(call, key).ToDictionary(p => p.Key, p => p.Value.GetString()!);

    private static Dictionary<string, JsonElement> Members(JsonElement call, string key)
        => call.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.Object ? value.EnumerateObject().ToDictionary(p => p.Name, p => p.Value) : [];

    private StoredTensor Tensor(string name)
        => Tensors.GetValueOrDefault(name) ?? throw new InvalidDataException($"{Path.Combine(Folder, "golden.safetensors")}: there is no tensor {name}");
}
