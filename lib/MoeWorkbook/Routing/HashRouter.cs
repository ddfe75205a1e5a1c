using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Hash routing: a token's expert is a fixed pseudo-random function of its id (Roller et al. 2021).</summary>
/// <remarks>Nothing is learned and nothing can collapse, but frequent tokens make their experts busy. Logits are zero; scores are one at the chosen
/// expert.</remarks>
public sealed class HashRouter : Router
{
    private readonly long _seed;

    /// <summary>A router to one of E experts by token id.</summary>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts E.</param>
    /// <param name="seed">Which hash function.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    public HashRouter(int hiddenSize, int expertCount, int seed = 0) : base(nameof(HashRouter), hiddenSize, expertCount) => _seed = seed;

    /// <summary>The expert of a token id.</summary>
    /// <param name="tokenId">The token's id.</param>
    public int ExpertOf(long tokenId)
    {
        var hash = RandomSource.Mix(unchecked((ulong)(tokenId + 1) * 0x9E3779B97F4A7C15 ^ (ulong)_seed * 0xD1B54A32D192ED03));
        return (int)(hash % (ulong)ExpertCount);
    }

    /// <inheritdoc/>
    protected override RoutingDecision Route(RouterInput input)
    {
        if (input.TokenIds is null) throw new ArgumentException("Hash routing needs input.TokenIds, [batch, sequence].", nameof(input));
        var device = input.Hidden.device;
        var chosen = Array.ConvertAll(input.TokenIds.flatten().cpu().data<long>().ToArray(), id => (long)ExpertOf(id));
        var experts = tensor(chosen, [chosen.Length, 1], device: device); // [tokens, 1]
        var logits = zeros(chosen.Length, ExpertCount, dtype: ScalarType.Float32, device: device); // [tokens, experts]
        var weights = ones(chosen.Length, 1, dtype: ScalarType.Float32, device: device); // [tokens, 1]
        return RoutingDecision.TopK(input, logits, logits.scatter(1, experts, weights), experts, weights);
    }
}
