using System.Text.RegularExpressions;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Cli.Tests;

/// <summary>
/// The examples of the README run as they stand: every <c>sh</c> block's commands that start <c>vlm</c>, from the repository's top folder. A line
/// <c>&lt;!-- not run: reason --&gt;</c> above a block exempts it.
/// </summary>
public partial class ReadmeTests
{
    [Fact]
    public void The_examples_of_the_README_run()
    {
        string[] commands = Commands(File.ReadAllLines(Path.Combine(Fixtures.Repository, "README.md")));
        if (commands.Length == 0) Assert.Skip("README.md shows no command");
        string shell = $"set -o pipefail; vlm() {{ '{Vlm.Host}' '{Vlm.Assembly}' \"$@\"; }}; ";
        Assert.All(commands, command =>
        {
            var run = Vlm.Start("bash", ["-c", shell + command]);
            Assert.True(run.ExitCode == 0, $"{command}: {run}");
        });
    }

    [Fact]
    public void Blocks_of_other_languages_other_programs_and_exempt_blocks_are_left_out()
    {
        string text = """
            ```sh
            # a comment
            dotnet build
            vlm inspect fashion-clip | head -1   # another
            dotnet run -c Release --project src/VlmKernels.Cli -- classify a.png \
                --labels bag
            ```
            ```csharp
            vlm inspect no-command
            ```
            <!-- not run: needs a download -->

            ```sh
            vlm inspect some-model
            ```
            """;
        Assert.Equal(["vlm inspect fashion-clip | head -1   # another", "vlm classify a.png  --labels bag"], Commands(text.Split('\n')));
    }

    private static string[] Commands(IEnumerable<string> lines)
    {
        var commands = new List<string>();
        string? fence = null, unfinished = null;
        bool exempt = false;
        foreach (string line in lines.Select(l => l.Trim()).Where(l => l.Length > 0))
        {
            if (line.StartsWith("```", StringComparison.Ordinal)) fence = fence is null ? line : null;
            else if (fence == "```sh" && !exempt) unfinished = Take(unfinished + line, commands);
            // What exempts a block stands right above its fence and ends with it.
            if (fence is null) exempt = line.StartsWith("<!-- not run:", StringComparison.Ordinal);
        }
        return [.. commands];
    }

    /// <summary>Adds a whole command; gives back what the next line continues.</summary>
    private static string? Take(string command, List<string> commands)
    {
        if (command[^1] == '\\') return command[..^1] + " ";
        command = DotnetRun().Replace(command, "vlm ");
        if (command.StartsWith("vlm ", StringComparison.Ordinal)) commands.Add(command);
        return null;
    }

    [GeneratedRegex(@"^dotnet run (-c \w+ )?--project src/VlmKernels\.Cli( -c \w+)? -- ")]
    private static partial Regex DotnetRun();
}
