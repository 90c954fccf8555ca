using VlmKernels.Tasks;
using Xunit;

namespace VlmKernels.Models.Tests;

public sealed class LinesFileTests : IDisposable
{
    private static readonly Dictionary<string, string> Settings = new() { ["model"] = "one" };

    private readonly string _folder = Directory.CreateTempSubdirectory("vlm-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Two_runs_on_one_file_do_not_mix(bool overwrite)
    {
        string path = Path.Combine(_folder, "lines.jsonl");
        using (var first = LinesFile.Open(path, ["a.png"], Settings, overwrite: false))
        {
            first.Add(json =>
            {
                json.WriteStartObject();
                json.WriteString("file", "a.png");
                json.WriteEndObject();
            });
            first.Commit();
            Assert.Contains($"another process is at work on {path}", Assert.Throws<IOException>(() => LinesFile.Open(path, ["a.png"], Settings, overwrite)).Message, StringComparison.Ordinal);
        }
        Assert.Equal("{\"file\":\"a.png\"}\n", File.ReadAllText(path));
    }
}
