using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary>Options that several commands share.</summary>
internal sealed class CommonOptions
{
    public Option<string> Device { get; } = new("--device") { Description = "Where to compute: cpu, or reference (every operation as its formula, slow).", DefaultValueFactory = _ => Devices.Cpu };

    public Option<string?> Isa { get; } = new("--isa") { Description = "Instruction-set tier of the cpu: avx512, avx2 or vector128; by default the widest there is." };

    public Option<int?> Threads { get; } = Number("--threads", "Threads that compute; by default one per physical core.");

    public Option<bool> Json { get; } = new("--json") { Description = "Prints JSON instead of tables." };

    public static Option<string> Model(string shipped = ModelCatalog.Default) => new("--model", "-m")
    {
        Description = $"Path of a checkpoint (folder, .safetensors, .safetensors.index.json, PyTorch file) or name of a model in {ModelCatalog.Variable} or models/.",
        DefaultValueFactory = _ => shipped,
    };

    /// <summary>The same for a command that chooses its model by itself when none is given.</summary>
    public static Option<string?> ChosenModel(string byDefault) => new("--model", "-m") { Description = $"Path of a checkpoint or name of a model in {ModelCatalog.Variable} or models/. [default: {byDefault}]" };

    public static Option<bool> AsStored(string more = "") => new("--as-stored") { Description = $"Does not turn photos as their EXIF orientation says{more}." };

    /// <summary>Loads the model of a name or path and says what had to be assumed.</summary>
    public static T Load<T>(string model, Func<string, T> open) where T : IPicturePreparer
    {
        var loaded = Terminal.While("loading the model", () => open(ModelCatalog.Resolve(model)));
        foreach (string note in loaded.Notes) Terminal.Note(note);
        return loaded;
    }

    /// <summary>An option that takes a whole number; the parser's own message for anything else names a type of .NET.</summary>
    public static Option<int?> Number(string name, string description)
    {
        return new Option<int?>(name) { Description = description, CustomParser = Parse };

        int? Parse(ArgumentResult argument)
        {
            string? text = argument.Tokens.SingleOrDefault()?.Value;
            if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)) return number;
            argument.AddError($"{name}: expected a whole number, found {text}");
            return null;
        }
    }

    /// <summary>An option that takes a number with a point.</summary>
    public static Option<float?> Fraction(string name, string description)
    {
        return new Option<float?>(name) { Description = description, CustomParser = Parse };

        float? Parse(ArgumentResult argument)
        {
            string? text = argument.Tokens.SingleOrDefault()?.Value;
            if (float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out float number) && float.IsFinite(number)) return number;
            argument.AddError($"{name}: expected a number, found {text}");
            return null;
        }
    }

    public static Argument<string[]> Paths(string name, string description)
    {
        var paths = new Argument<string[]>(name) { Description = description, Arity = ArgumentArity.OneOrMore };
        paths.Validators.Add(RefuseOptions);
        return paths;
    }

    /// <summary>A list takes any word, so a misspelt option would silently become part of it.</summary>
    public static void RefuseOptions(SymbolResult list)
    {
        foreach (var word in list.Tokens.Where(t => t.Value.Length > 1 && t.Value[0] == '-')) list.AddError($"option {word.Value} is unknown");
    }

    /// <summary>The labels of a file, one per line; blank lines do not count.</summary>
    public static string[] ReadLabels(string file) => [.. File.ReadLines(Terminal.ExpectFile(file, "a text file of labels")).Select(l => l.Trim()).Where(l => l.Length > 0)];

    public void AddDevice(Command command)
    {
        command.Options.Add(Device);
        command.Options.Add(Isa);
        command.Options.Add(Threads);
    }

    public IBackend Open(ParseResult parsed) => Devices.Open(new DeviceOptions(parsed.GetValue(Device)!, parsed.GetValue(Isa), parsed.GetValue(Threads)));
}
