using VlmKernels.Kernels;

namespace VlmKernels.Tasks.Verification;

/// <summary>Keeps host copies of everything that a model shows.</summary>
public sealed class TapRecorder : ITap
{
    private readonly Dictionary<(string, int), HostTensor> _values = [];

    /// <summary>The value of a stage, or null; index −1 for stages that happen once.</summary>
    public HostTensor? this[string stage, int index = -1] => _values.GetValueOrDefault((stage, index));

    /// <inheritdoc/>
    public void Observe(Session session, string stage, int index, Tensor value) => _values[(stage, index)] = HostTensor.CopyOf(session, value);
}
