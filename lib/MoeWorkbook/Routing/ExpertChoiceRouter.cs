using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Expert choice: each expert takes the tokens that it has the highest probability for, all experts equally many (Zhou et al. 2022, section
/// 3.2).</summary>
/// <remarks>The load is perfectly even by construction, but a token may get no expert or many. An expert compares tokens across the sequence, so in a causal
/// model a token's experts depend on later tokens: it sees the future.</remarks>
public sealed class ExpertChoiceRouter : LinearRouter
{
    /// <summary>A router in which experts choose.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts E.</param>
    /// <param name="meanExpertsPerToken">How many experts a token gets on average; each expert takes ⌈tokens · this / E⌉ tokens, at most all.</param>
    /// <param name="init">How the parameters are made.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    public ExpertChoiceRouter(int hiddenSize, int expertCount, double meanExpertsPerToken = 2, ParameterInit? init = null)
        : base(nameof(ExpertChoiceRouter), hiddenSize, expertCount, init)
    {
        if (!(meanExpertsPerToken > 0 && double.IsFinite(meanExpertsPerToken)))
            throw new ArgumentOutOfRangeException(nameof(meanExpertsPerToken), meanExpertsPerToken, "meanExpertsPerToken must be positive.");
        MeanExpertsPerToken = meanExpertsPerToken;
    }

    /// <summary>How many experts a token gets on average.</summary>
    public double MeanExpertsPerToken { get; }

    /// <inheritdoc/>
    protected override RoutingDecision Route(RouterInput input)
    {
        var logits = Logits(input.Hidden); // [tokens, experts]
        var probabilities = logits.softmax(-1); // [tokens, experts]
        var tokenCount = logits.shape[0];
        var perExpert = (int)Math.Min(tokenCount, Math.Ceiling(tokenCount * MeanExpertsPerToken / ExpertCount));
        var (chosen, tokens) = TopK(probabilities.t(), perExpert); // both [experts, tokens of an expert]
        var takers = arange(ExpertCount, ScalarType.Int64, logits.device).repeat_interleave(perExpert); // [assignments]
        return RoutingDecision.Flat(input, logits, probabilities, tokens.reshape(-1), takers, chosen.reshape(-1));
    }
}
