using Xunit;
namespace VlmKernels.Cli.Tests;
public class SmokeTests { [Fact] public void The_repository_is_found() => Assert.NotEmpty(VlmKernels.Testing.Fixtures.Repository); }
