namespace MoeWorkbook;

/// <summary>A checkpoint or tokenizer file cannot be read or written: truncated, contradicting itself, incomplete, or not for this model. The message names the
/// file, the tensor where there is one, what is wrong and what is allowed.</summary>
public sealed class CheckpointException : Exception
{
    /// <summary>An exception about a file or one of its tensors.</summary>
    /// <param name="file">The file or directory.</param>
    /// <param name="tensor">The tensor; null where the problem is not one tensor's.</param>
    /// <param name="problem">What is wrong and what is allowed.</param>
    /// <param name="inner">The cause, where there is one.</param>
    public CheckpointException(string file, string? tensor, string problem, Exception? inner = null)
        : base(tensor is null ? $"{file}: {problem}" : $"{file}: the tensor \"{Shortened(tensor)}\" {problem}", inner)
    {
        FilePath = file;
        TensorName = tensor;
    }

    /// <summary>The file or directory.</summary>
    public string FilePath { get; }

    /// <summary>The tensor; null where the problem is not one tensor's.</summary>
    public string? TensorName { get; }

    /// <summary>A hostile file may name a tensor with a million letters.</summary>
    internal static string Shortened(string name) => name.Length <= 200 ? name : name[..200] + "…";
}
