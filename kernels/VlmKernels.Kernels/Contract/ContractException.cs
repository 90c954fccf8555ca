namespace VlmKernels.Kernels;

/// <summary>A shape, type or layout that an operation does not accept. The message names the operation, the argument, what was expected and what was found.</summary>
public sealed class ContractException : Exception
{
    /// <summary>Makes the exception without a message.</summary>
    public ContractException() { }

    /// <summary>Makes the exception.</summary>
    public ContractException(string message) : base(message) { }

    /// <summary>Makes the exception with its cause.</summary>
    public ContractException(string message, Exception innerException) : base(message, innerException) { }
}
