namespace MoeWorkbook;

/// <summary>A line of <c>./workbook bench train --json</c>: the training speed of a small Mixture of Experts.</summary>
public sealed record TrainingBenchmark
{
    /// <summary>Who trained it, and how many runs at the same time, as in "PyTorch, one run".</summary>
    public required string Name { get; init; }

    /// <summary>All parameters of the model.</summary>
    public required long TotalParameters { get; init; }

    /// <summary>Its parameters that one token touches.</summary>
    public required long ActiveParameters { get; init; }

    /// <summary>Tokens in a training step.</summary>
    public required int TokensPerStep { get; init; }

    /// <summary>Operations of one token's forward and backward pass, the backward pass counted as two forward passes.</summary>
    public required long TrainingFlopsPerToken { get; init; }

    /// <summary>Training tokens a second, the median.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>The lower end of its 95% interval.</summary>
    public required double TokensPerSecondLow { get; init; }

    /// <summary>The upper end of its 95% interval.</summary>
    public required double TokensPerSecondHigh { get; init; }

    /// <summary>Training tokens a second with their interval.</summary>
    public Estimate Speed => new(TokensPerSecond, TokensPerSecondLow, TokensPerSecondHigh);
}
