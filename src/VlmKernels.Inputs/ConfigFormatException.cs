namespace VlmKernels.Inputs;

/// <summary>A configuration or tokenizer file that is damaged or asks for something this library does not implement. The message names the file and the key.</summary>
public sealed class ConfigFormatException : FormatException
{
    /// <summary>Makes the exception from the file's name and what was expected and found.</summary>
    public ConfigFormatException(string file, string problem) : base($"{file}: {problem}") { }

    /// <summary>Makes the exception from a whole message.</summary>
    public ConfigFormatException(string message) : base(message) { }

    /// <summary>Makes the exception from a message and its cause.</summary>
    public ConfigFormatException(string message, Exception inner) : base(message, inner) { }

    /// <summary>Makes the exception with a general message.</summary>
    public ConfigFormatException() : base("the configuration cannot be read") { }
}
