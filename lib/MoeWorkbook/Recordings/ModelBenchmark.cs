namespace MoeWorkbook;

/// <summary>A line of <c>./workbook bench decode --json</c> or <c>bench prefill --json</c>: a whole model, the Mixture of Experts or one of its dense
/// rivals.</summary>
public sealed record ModelBenchmark
{
    /// <summary>Which of the three: Mixture of Experts; dense, equal total; dense, equal active.</summary>
    public required string Model { get; init; }

    /// <summary>All its parameters.</summary>
    public required long TotalParameters { get; init; }

    /// <summary>Its parameters that one token touches.</summary>
    public required long ActiveParameters { get; init; }

    /// <summary>Number of sequences in decode; null in prefill.</summary>
    public int? Batch { get; init; }

    /// <summary>Length of the prompt in prefill; null in decode.</summary>
    public int? Prompt { get; init; }

    /// <summary>Median time in milliseconds, of one step in decode and of the whole prompt in prefill.</summary>
    public required double Milliseconds { get; init; }

    /// <summary>The lower end of its 95% interval.</summary>
    public required double MillisecondsLow { get; init; }

    /// <summary>The upper end of its 95% interval.</summary>
    public required double MillisecondsHigh { get; init; }

    /// <summary>Tokens a second of all sequences together.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>How many times as long it takes as the Mixture of Experts in the same rounds.</summary>
    public required double TimesMixtureOfExperts { get; init; }
}
