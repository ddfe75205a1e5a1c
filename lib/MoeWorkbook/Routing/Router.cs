using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>Decides which experts compute which tokens. It knows no expert and no layer.</summary>
/// <remarks>For a router of your own override <see cref="Route"/>; a <see cref="LinearRouter"/> brings the logits. <see cref="RoutingDecision.TopK"/> makes the
/// decision of what <see cref="TopK"/> chose.</remarks>
public abstract class Router : Module<RouterInput, RoutingDecision>
{
    /// <summary>A router to a number of experts.</summary>
    /// <param name="name">The module's name.</param>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="expertCount">Number of experts.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive.</exception>
    protected Router(string name, int hiddenSize, int expertCount) : base(name)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(hiddenSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(expertCount);
        HiddenSize = hiddenSize;
        ExpertCount = expertCount;
    }

    /// <summary>Size of the hidden states.</summary>
    public int HiddenSize { get; }

    /// <summary>Number of experts.</summary>
    public int ExpertCount { get; }

    /// <summary>Routes every token.</summary>
    /// <param name="input">Hidden states <c>[batch, sequence, hidden]</c> and what else the router may need.</param>
    /// <returns>The assignments of tokens to experts.</returns>
    /// <exception cref="ArgumentException">A shape, type or device does not fit.</exception>
    public sealed override RoutingDecision forward(RouterInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Expect.Shape(input.Hidden, "input.Hidden", ("batch", -1), ("sequence", -1), ("hidden", HiddenSize));
        Expect.Floating(input.Hidden, "input.Hidden");
        if (input.TokenIds is { } ids)
        {
            Expect.Shape(ids, "input.TokenIds", ("batch", input.Hidden.shape[0]), ("sequence", input.Hidden.shape[1]));
            Expect.Integers(ids, "input.TokenIds");
        }

        using var scope = NewDisposeScope();
        return Route(input).MoveToOuterDisposeScope();
    }

    /// <summary>Routes every token of an input whose shapes were checked.</summary>
    /// <param name="input">Hidden states <c>[batch, sequence, hidden]</c> and what else the router may need.</param>
    protected abstract RoutingDecision Route(RouterInput input);

    /// <summary>Checks a number of experts per token.</summary>
    /// <param name="expertsPerToken">The number k.</param>
    /// <param name="expertCount">The number of experts E.</param>
    /// <returns>The number k.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It is not from 1 to the number of experts.</exception>
    protected static int CheckedExpertsPerToken(int expertsPerToken, int expertCount)
    {
        if (expertsPerToken < 1 || expertsPerToken > expertCount)
            throw new ArgumentOutOfRangeException(nameof(expertsPerToken), expertsPerToken, $"expertsPerToken must be from 1 to the number of experts, {expertCount}.");
        return expertsPerToken;
    }

    /// <summary>The k largest scores of each token. Ties go to the expert with the lower number, on every device.</summary>
    /// <param name="scores"><c>[tokens, experts]</c>.</param>
    /// <param name="k">How many.</param>
    /// <returns>The scores and their experts, largest first, both <c>[tokens, k]</c>.</returns>
    protected static (Tensor Scores, Tensor Experts) TopK(Tensor scores, int k)
    {
        var (sorted, experts) = scores.sort(-1, descending: true, stable: true);
        return (sorted.narrow(-1, 0, k), experts.narrow(-1, 0, k));
    }
}
