using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Cli.Tests;

/// <summary>The libraries do the command's main job for a program that references them, as projects and as packages.</summary>
public class LibraryTests
{
    private const string Picture = "models/samples/scene-3.png";

    [Fact]
    public void A_program_that_references_the_projects_classifies_a_picture()
    {
        var run = Vlm.Start(Vlm.Host, [Vlm.Built("tests/VlmKernels.Sample", "VlmKernels.Sample.dll"), Picture]);
        Assert.Equal((0, "sneaker 91.1 %\n", ""), (run.ExitCode, run.Output, run.Error));
    }

    [Fact]
    public void A_program_that_uses_the_embedding_generators_orders_pictures_by_a_text()
    {
        var run = Vlm.Start(Vlm.Host, [Vlm.Built("tests/VlmKernels.Sample.Search", "VlmKernels.Sample.Search.dll"), "a photo of a sneaker", "models/samples/scene-6.png", Picture]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        string[] lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal([Picture, "models/samples/scene-6.png"], lines.Select(l => l.Split(' ')[1]));
    }

    [Theory]
    [InlineData("a purple sneaker on a gray background")]
    [InlineData("sneaker", "what is in the picture?")]
    public void A_program_that_uses_the_chat_client_describes_a_picture_or_answers(string expected, params string[] question)
    {
        var run = Vlm.Start(Vlm.Host, [Vlm.Built("tests/VlmKernels.Sample.Chat", "VlmKernels.Sample.Chat.dll"), Picture, .. question]);
        Assert.Equal((0, $"{expected}\n", ""), (run.ExitCode, run.Output, run.Error));
    }

    [Fact]
    [Trait("Category", "Packaging")]
    public void A_program_that_references_the_packages_classifies_a_picture()
    {
        using var folder = new TemporaryFolder();
        Dotnet(folder, "pack", Path.Combine(Fixtures.Repository, "VlmKernels.sln"), "-c", Vlm.Configuration, "--no-build", "-o", folder["feed"], "-p:PackageVersion=0.0.1-test");
        WriteConsumer(folder);
        var run = Dotnet(folder, "run", "--project", folder["Consumer.csproj"], "-c", "Release", "-p:UseSharedCompilation=false", "--", Picture);
        Assert.Equal("sneaker 91.1 %\n", run.Output);
    }

    private static void WriteConsumer(TemporaryFolder folder)
    {
        string machine = Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } given
            ? given : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        Directory.CreateDirectory(machine);
        folder.Write("nuget.config", $"""
            <configuration>
              <packageSources><add key="local" value="feed" /></packageSources>
              <fallbackPackageFolders><add key="machine" value="{machine}" /></fallbackPackageFolders>
            </configuration>
            """);
        folder.Write("Consumer.csproj", """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings><Nullable>enable</Nullable></PropertyGroup>
              <ItemGroup><PackageReference Include="VlmKernels.Tasks" Version="0.0.1-test" /></ItemGroup>
            </Project>
            """);
        folder.Write("Program.cs", File.ReadAllText(Path.Combine(Fixtures.Repository, "tests/VlmKernels.Sample/Program.cs")));
    }

    private static Outcome Dotnet(TemporaryFolder folder, params string[] args)
    {
        // Packages of a test must not stay in the machine's cache, nor build servers that keep its pipes open.
        var run = Vlm.Start(Vlm.Host, args,
        [
            ("NUGET_PACKAGES", folder["packages"]), ("MSBUILDDISABLENODEREUSE", "1"), ("DOTNET_CLI_USE_MSBUILD_SERVER", "0"), ("DOTNET_NOLOGO", "1"),
            ("VLMKERNELS_MODELS", Path.Combine(Fixtures.Repository, "models")),
        ]);
        Assert.True(run.ExitCode == 0, run.ToString());
        return run;
    }
}
