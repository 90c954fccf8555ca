namespace VlmKernels.Tasks;

/// <summary>A model was asked for by a name or path that leads nowhere. The message lists where it was looked for.</summary>
public sealed class ModelNotFoundException : Exception
{
    /// <summary>Makes the exception without a message.</summary>
    public ModelNotFoundException() { }

    /// <summary>Makes the exception.</summary>
    public ModelNotFoundException(string message) : base(message) { }

    /// <summary>Makes the exception with its cause.</summary>
    public ModelNotFoundException(string message, Exception innerException) : base(message, innerException) { }
}

/// <summary>
/// Finds models by name: in the folders of VLMKERNELS_MODELS (separated as in PATH), then in <c>models/</c> beside and above the executable.
/// </summary>
public static class ModelCatalog
{
    /// <summary>The environment variable that names folders of models.</summary>
    public const string Variable = "VLMKERNELS_MODELS";

    /// <summary>The model that ships with the repository.</summary>
    public const string Default = "fashion-clip";

    /// <summary>The shipped models that write captions, answer questions and match texts.</summary>
    public const string DefaultCaption = "fashion-blip-caption", DefaultAnswer = "fashion-blip-vqa", DefaultMatch = "fashion-blip-itm";

    private static readonly string[] WeightFiles = ["*.safetensors", "*.safetensors.index.json", "*.bin", "*.pt", "*.pth", "*.ckpt"];

    /// <summary>Folders that are looked through, first to last, whether they exist or not.</summary>
    public static IEnumerable<string> Roots()
    {
        foreach (string root in (Environment.GetEnvironmentVariable(Variable) ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)) yield return root;
        for (string? at = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory); at is not null; at = Path.GetDirectoryName(at)) yield return Path.Combine(at, "models");
    }

    /// <summary>Every model found by name: its folder's name and path. The first of a name wins, as in <see cref="Resolve"/>.</summary>
    public static IReadOnlyList<(string Name, string Path)> List()
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (string root in Roots().Where(Directory.Exists))
        {
            foreach (string folder in Directory.EnumerateDirectories(root).Where(HoldsWeights).Order(StringComparer.Ordinal)) found.TryAdd(Path.GetFileName(folder), folder);
        }
        return [.. found.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => (f.Key, f.Value))];
    }

    /// <summary>Turns a path or name into a path.</summary>
    /// <param name="model">An existing file or folder, or the name of a model.</param>
    /// <exception cref="ModelNotFoundException">There is no such path and no model of that name.</exception>
    public static string Resolve(string model)
    {
        // Joined to a folder of models, an empty name would be the folder itself.
        if (string.IsNullOrWhiteSpace(model)) throw new ModelNotFoundException("the model's path or name is empty");
        if (Path.Exists(model)) return model;
        if (model.Contains('/', StringComparison.Ordinal) || model.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal)) throw new ModelNotFoundException($"{model}: no such file or folder");
        foreach (string root in Roots())
        {
            string folder = Path.Combine(root, model);
            if (Directory.Exists(folder)) return folder;
        }
        string known = string.Join(", ", List().Select(m => m.Name));
        throw new ModelNotFoundException($"{model}: neither a file or folder nor a known model; known are: {(known.Length == 0 ? "none" : known)} (set {Variable} to folders that hold models)");
    }

    private static bool HoldsWeights(string folder) => WeightFiles.Any(pattern => Directory.EnumerateFiles(folder, pattern).Any());
}
