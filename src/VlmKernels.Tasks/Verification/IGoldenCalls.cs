namespace VlmKernels.Tasks.Verification;

/// <summary>Runs the calls of one family's golden cases with one checkpoint file.</summary>
internal interface IGoldenCalls : IDisposable
{
    /// <summary>Runs a call; null when its name is not known.</summary>
    CallResult? Run(string name, CallRequest request);
}
