namespace MoeWorkbook;

/// <summary>A model description cannot be read: a file that is no JSON, an unknown <c>model_type</c>, a missing key, or values that contradict each other. The
/// message names the file or model, the key, and what is allowed.</summary>
public sealed class ModelConfigException : Exception
{
    /// <summary>An exception with a message for the reader of the file.</summary>
    /// <param name="message">What is wrong, where, and what is allowed.</param>
    /// <param name="inner">The cause, where there is one.</param>
    public ModelConfigException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}
