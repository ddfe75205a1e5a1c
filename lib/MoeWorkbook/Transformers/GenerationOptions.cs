namespace MoeWorkbook;

/// <summary>How the next token is picked from the logits.</summary>
/// <param name="MaxNewTokens">The most tokens to add, at least 1.</param>
public sealed record GenerationOptions(int MaxNewTokens)
{
    /// <summary>Logits are divided by this before the softmax; 0, the default, always takes the likeliest token.</summary>
    public double Temperature { get; init; }

    /// <summary>Only the this many likeliest tokens are candidates (Fan et al. 2018); null for all.</summary>
    public int? TopK { get; init; }

    /// <summary>Only the fewest likeliest tokens whose probabilities sum to at least this are candidates, nucleus sampling (Holtzman et al. 2020); null for
    /// all.</summary>
    public double? TopP { get; init; }

    /// <summary>The seed of the draws: the same seed and logits give the same tokens on every machine.</summary>
    public int Seed { get; init; }

    /// <summary>Tokens that end the generation; the one found is the last of the result.</summary>
    public IReadOnlyCollection<long> StopTokens { get; init; } = [];

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentException">An option is outside its range; the message names it.</exception>
    internal void Validate()
    {
        if (MaxNewTokens < 1) throw new ArgumentException($"MaxNewTokens is {MaxNewTokens}; it must be at least 1.");
        if (!(Temperature >= 0 && double.IsFinite(Temperature))) throw new ArgumentException($"Temperature is {Temperature}; it must be 0 or a positive number.");
        if (TopK < 1) throw new ArgumentException($"TopK is {TopK}; it must be at least 1.");
        if (TopP is { } p && !(p > 0 && p <= 1)) throw new ArgumentException($"TopP is {p}; it must be above 0 and at most 1.");
    }
}
