using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Tasks.Verification;

/// <summary>Runs golden cases: every call with every checkpoint file of the folder, compared stage by stage with what the reference implementation gave.</summary>
public static class Verifier
{
    /// <summary>Families of cases that this version runs.</summary>
    public static IReadOnlyCollection<string> Families => Openers.Keys;

    // How the calls of a family are run with a checkpoint file.
    private static readonly Dictionary<string, Func<GoldenCase, string, IBackend, IGoldenCalls>> Openers = new()
    {
        ["clip"] = (_, file, backend) => new ClipCalls(file, backend),
        ["blip"] = (golden, file, backend) => new BlipCalls(golden, file, backend),
    };

    /// <summary>Runs a case.</summary>
    /// <param name="caseFolder">A folder with <c>golden.json</c>, <c>golden.safetensors</c> and checkpoint files.</param>
    /// <param name="backend">Computes.</param>
    /// <returns>The report. Families that are not built are skipped, with the reason.</returns>
    /// <exception cref="InvalidDataException">The golden files are not what they should be.</exception>
    /// <exception cref="IOException">A golden file cannot be read.</exception>
    /// <exception cref="WeightFileException">The golden tensors or the folder cannot be read.</exception>
    public static VerifyReport Run(string caseFolder, IBackend backend)
    {
        string family = GoldenCase.FamilyOf(caseFolder);
        if (!Families.Contains(family))
        {
            return new VerifyReport(Path.GetFileName(Path.TrimEndingDirectorySeparator(caseFolder)), family, backend.Name, [new CheckpointReport("*", $"{family} is not supported by this version", [])]);
        }
        using var golden = GoldenCase.Open(caseFolder);
        var files = CheckpointFiles.List(caseFolder).Where(f => !golden.Companions.Contains(Path.GetFileName(f))).ToList();
        if (files.Count == 0) return new VerifyReport(golden.Name, family, backend.Name, [NothingVerified("*", "the folder holds no checkpoint")]);
        return new VerifyReport(golden.Name, family, backend.Name, [.. files.Select(file => RunFile(golden, file, backend))]);
    }

    private static CheckpointReport RunFile(GoldenCase golden, string file, IBackend backend)
    {
        string name = Path.GetFileName(file);
        try
        {
            using var calls = Openers[golden.Family](golden, file, backend);
            StageCheck[] checks = [.. golden.Calls.SelectMany(call => RunCall(golden, call, calls))];
            return checks.Length > 0 ? new CheckpointReport(name, null, checks) : NothingVerified(name, "golden.json has no calls");
        }
        catch (Exception e) when (IsExpected(e))
        {
            return new CheckpointReport(name, null, [new StageCheck("load", name, "", 0, 0, Verdict.Failed, e.Message)]);
        }
    }

    /// <summary>A test that looks at nothing must not look like one that passed.</summary>
    private static CheckpointReport NothingVerified(string file, string why) => new(file, null, [new StageCheck("case", file, "", 0, 0, Verdict.Failed, $"nothing verified: {why}")]);

    private static IReadOnlyList<StageCheck> RunCall(GoldenCase golden, GoldenCall call, IGoldenCalls calls)
    {
        var checks = new CallChecks(golden, call);
        try
        {
            var request = new CallRequest(golden, call);
            if (calls.Run(call.Name, request) is not { } result) checks.Fail("call", "a call of that name is not known");
            else if (request.Unread.Count > 0) checks.Fail("call", $"nothing is known about {string.Join(", ", request.Unread)}");
            else checks.Compare(result);
        }
        catch (Exception e) when (IsExpected(e))
        {
            checks.Fail("call", e.Message);
        }
        return checks.All;
    }

    /// <summary>What checkpoints, configurations and goldens that do not fit each other cause; anything else is a fault of this program.</summary>
    private static bool IsExpected(Exception e)
        => e is WeightFileException or WeightMismatchException or ContractException or FormatException or InvalidDataException or IOException or ArgumentException or InvalidOperationException;
}
