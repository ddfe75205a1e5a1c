using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Assignments sorted by expert, so that each expert's tokens are one slice: one gather before, one scatter after, whatever the number of
/// experts.</summary>
public sealed class SortedExperts : ExpertRunner
{
    /// <inheritdoc/>
    protected internal override Tensor Compute(Tensor hidden, RoutingDecision routing, ExpertWeights experts)
    {
        var kept = routing.Kept.nonzero().flatten(); // [kept]
        if (kept.numel() == 0) return zeros_like(hidden);
        var (sorted, order) = routing.Experts.index_select(0, kept).sort(0, stable: true); // both [kept]
        var assignments = kept.index_select(0, order); // [kept], expert after expert
        var counts = sorted.bincount(null!, experts.ExpertCount).cpu().data<long>().ToArray();
        var tokens = routing.Tokens.index_select(0, assignments); // [kept]
        var inputs = hidden.index_select(0, tokens).split(counts, 0); // for each expert [its assignments, hidden]

        var each = experts.Unbind();
        var computed = new List<Tensor>();
        for (var e = 0; e < each.Length; e++)
            if (counts[e] > 0) computed.Add(each[e].Forward(inputs[e]));
        var weights = routing.Weights.index_select(0, assignments).unsqueeze(1).to(hidden.dtype); // [kept, 1]
        return zeros_like(hidden).index_add(0, tokens, weights * cat(computed, 0), 1);
    }
}
