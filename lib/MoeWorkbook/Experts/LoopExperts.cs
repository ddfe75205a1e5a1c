using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Expert after expert, in the fewest lines: pick its tokens, compute, weigh, add to their rows. The one to read first.</summary>
public sealed class LoopExperts : ExpertRunner
{
    /// <inheritdoc/>
    protected internal override Tensor Compute(Tensor hidden, RoutingDecision routing, ExpertWeights experts)
    {
        var output = zeros_like(hidden); // [tokens, hidden]
        var each = experts.Unbind();
        for (var e = 0; e < each.Length; e++)
        {
            var mine = (routing.Experts.eq(e) & routing.Kept).nonzero().flatten(); // [assignments of expert e]
            if (mine.numel() == 0) continue;
            var tokens = routing.Tokens.index_select(0, mine); // [assignments of expert e]
            var weights = routing.Weights.index_select(0, mine).unsqueeze(1).to(hidden.dtype); // [assignments of expert e, 1]
            var computed = each[e].Forward(hidden.index_select(0, tokens)); // [assignments of expert e, hidden]
            output = output.index_add(0, tokens, weights * computed, 1);
        }

        return output;
    }
}
