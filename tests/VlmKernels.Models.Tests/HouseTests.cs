using System.Text.RegularExpressions;
using System.Xml.Linq;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Models.Tests;

/// <summary>The rules of docs/architecture.md that the compiler does not check.</summary>
public sealed partial class HouseTests
{
    private const int LongestKernelFile = 400;

    // Each project and all that it may refer to directly.
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["VlmKernels.Kernels"] = [],
        ["VlmKernels.Kernels.Cpu"] = ["VlmKernels.Kernels"],
        ["VlmKernels.Weights"] = ["VlmKernels.Kernels"],
        ["VlmKernels.Inputs"] = [],
        ["VlmKernels.Models"] = ["VlmKernels.Kernels", "VlmKernels.Weights", "VlmKernels.Inputs"],
        ["VlmKernels.Tasks"] = ["VlmKernels.Models", "VlmKernels.Kernels.Cpu"],
        ["VlmKernels.Extensions.AI"] = ["VlmKernels.Tasks"],
        ["VlmKernels.Cli"] = ["VlmKernels.Tasks"],
        ["VlmKernels.Launcher"] = [],
        ["VlmKernels.Convert"] = ["VlmKernels.Weights"],
    };

    [Fact]
    public void Project_references_point_one_way()
    {
        var projects = Projects("kernels").Concat(Projects("src")).Concat(Projects("weights-convert")).ToList();
        Assert.Equal(Arrows.Keys.Order(), projects.Select(p => p.Name).Order());
        foreach (var (name, file) in projects)
        {
            var references = XDocument.Load(file).Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension((string)r.Attribute("Include")!));
            Assert.Empty(references.Except(Arrows[name]).Select(r => $"{name} → {r}"));
        }
    }

    [Fact]
    public void No_file_of_the_models_names_a_device_an_instruction_set_or_a_precision()
    {
        var found = from file in Sources(Path.Combine("src", "VlmKernels.Models")) from Match m in Forbidden().Matches(File.ReadAllText(file)) select $"{Path.GetFileName(file)}: {m.Value}";
        Assert.Empty(found);
    }

    [Fact]
    public void No_kernel_file_is_too_long()
        => Assert.Empty(Sources("kernels").Where(f => File.ReadLines(f).Count() > LongestKernelFile).Select(Path.GetFileName));

    [Fact]
    public void Nothing_is_left_open_in_the_code()
        => Assert.Empty(Sources("kernels").Concat(Sources("src")).Concat(Sources("weights-convert")).Concat(Sources("perf")).Where(f => Unfinished().IsMatch(File.ReadAllText(f))).Select(Path.GetFileName));

    private static IEnumerable<(string Name, string File)> Projects(string folder)
        => Directory.EnumerateFiles(Path.Combine(Fixtures.Repository, folder), "*.csproj", SearchOption.AllDirectories).Select(f => (Path.GetFileNameWithoutExtension(f), f));

    private static IEnumerable<string> Sources(string folder)
        => Directory.EnumerateFiles(Path.Combine(Fixtures.Repository, folder), "*.cs", SearchOption.AllDirectories).Where(f => !BuildOutput().IsMatch(f));

    [GeneratedRegex(@"[/\\](obj|bin)[/\\]")]
    private static partial Regex BuildOutput();

    [GeneratedRegex(@"\b(Cpu\w*|Gpu\w*|Cuda\w*|Avx\w*|Sse\w*|Simd\w*|Vector(64|128|256|512)\w*|ReferenceBackend|PlanBackend|DType|Half|BFloat16|[BF]?F(8|16|32|64)\w*|Int[48]|Precision)\b")]
    private static partial Regex Forbidden();

    [GeneratedRegex(@"NotImplementedException|\b(TODO|FIXME|HACK)\b")]
    private static partial Regex Unfinished();
}
