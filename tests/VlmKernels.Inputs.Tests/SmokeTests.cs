using Xunit;
namespace VlmKernels.Inputs.Tests;
public class SmokeTests { [Fact] public void The_repository_is_found() => Assert.NotEmpty(VlmKernels.Testing.Fixtures.Repository); }
