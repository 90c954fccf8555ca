namespace VlmKernels.Inputs;

/// <summary>A picture file that cannot be read: unknown, refused, damaged, cut short or too large. The message names the file.</summary>
public sealed class ImageFormatException : FormatException
{
    /// <summary>Makes the exception from the file's name and what was expected and found.</summary>
    public ImageFormatException(string name, string problem) : base($"{name}: {problem}") { }

    /// <summary>Makes the exception from a whole message.</summary>
    public ImageFormatException(string message) : base(message) { }

    /// <summary>Makes the exception from a message and its cause.</summary>
    public ImageFormatException(string message, Exception inner) : base(message, inner) { }

    /// <summary>Makes the exception with a general message.</summary>
    public ImageFormatException() : base("the picture cannot be read") { }
}
