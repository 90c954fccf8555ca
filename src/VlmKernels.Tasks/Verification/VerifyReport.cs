namespace VlmKernels.Tasks.Verification;

/// <summary>What became of a check.</summary>
public enum Verdict
{
    /// <summary>Within the tolerance, or equal where equality is asked.</summary>
    Passed,
    /// <summary>Outside the tolerance, unequal, or not computable.</summary>
    Failed,
    /// <summary>Not looked at; the note says why.</summary>
    Skipped,
}

/// <summary>One comparison with a golden value.</summary>
/// <param name="Call">Name of the call: <c>image_features</c>.</param>
/// <param name="Stage">What was compared: <c>block.0.attn</c>, <c>image_features_norm</c>, <c>expect argmax</c>.</param>
/// <param name="Shape">Shape of the golden: <c>[2, 17, 32]</c>.</param>
/// <param name="MaxError">Largest |value − golden| / max(1, |golden|); 0 where equality is asked.</param>
/// <param name="Tolerance">Largest error allowed; 0 where equality is asked.</param>
/// <param name="Verdict">What became of it.</param>
/// <param name="Note">Why it failed or was skipped; empty otherwise.</param>
public sealed record StageCheck(string Call, string Stage, string Shape, double MaxError, double Tolerance, Verdict Verdict, string Note = "");

/// <summary>All checks of one checkpoint file.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="SkippedBecause">Why it was not run; null when it was.</param>
/// <param name="Checks">The checks, in the order of the data flow.</param>
public sealed record CheckpointReport(string File, string? SkippedBecause, IReadOnlyList<StageCheck> Checks)
{
    /// <summary>True when no check failed.</summary>
    public bool Passed => Checks.All(c => c.Verdict != Verdict.Failed);
}

/// <summary>What became of a golden case.</summary>
/// <param name="Case">Its name.</param>
/// <param name="Family">Its architecture.</param>
/// <param name="Backend">Name of the backend that computed.</param>
/// <param name="Checkpoints">One report per checkpoint file of the folder.</param>
public sealed record VerifyReport(string Case, string Family, string Backend, IReadOnlyList<CheckpointReport> Checkpoints)
{
    /// <summary>True when something was compared and no check failed. A case that was only skipped has not passed.</summary>
    public bool Passed => Compared && !Failures.Any();

    /// <summary>True when at least one value was compared with a golden.</summary>
    public bool Compared => Checkpoints.Any(c => c.Checks.Any(k => k.Verdict != Verdict.Skipped));

    /// <summary>True when at least one checkpoint was run.</summary>
    public bool Ran => Checkpoints.Any(c => c.SkippedBecause is null);

    /// <summary>Checks that failed.</summary>
    public IEnumerable<StageCheck> Failures => Checkpoints.SelectMany(c => c.Checks).Where(c => c.Verdict == Verdict.Failed);
}
