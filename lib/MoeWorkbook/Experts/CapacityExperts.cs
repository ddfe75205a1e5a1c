using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>All experts in two batched products: each expert's tokens are padded to as many rows as the busiest expert has. The form that accelerators with
/// fixed shapes need (GShard; Lepikhin et al. 2020).</summary>
/// <remarks>An uneven load is paid for in padding. <see cref="ExpertCapacity"/> bounds it by dropping assignments first.</remarks>
public sealed class CapacityExperts : ExpertRunner
{
    /// <inheritdoc/>
    protected internal override Tensor Compute(Tensor hidden, RoutingDecision routing, ExpertWeights experts)
    {
        var kept = routing.Kept.nonzero().flatten(); // [kept]
        if (kept.numel() == 0) return zeros_like(hidden);
        var owners = routing.Experts.index_select(0, kept); // [kept]
        var tokens = routing.Tokens.index_select(0, kept); // [kept]
        var places = ExpertSlots.Of(owners, experts.ExpertCount); // [kept]
        var rows = places.max().cpu().item<long>() + 1; // of the busiest expert
        var slots = owners * rows + places; // [kept], each its own row

        var padded = zeros(experts.ExpertCount * rows, experts.HiddenSize, dtype: hidden.dtype, device: hidden.device)
            .index_copy(0, slots, hidden.index_select(0, tokens)); // [experts · rows, hidden]
        var computed = experts.forward(padded.view(experts.ExpertCount, rows, -1)).flatten(0, 1).index_select(0, slots); // [kept, hidden]
        var weights = routing.Weights.index_select(0, kept).unsqueeze(1).to(hidden.dtype); // [kept, 1]
        return zeros_like(hidden).index_add(0, tokens, weights * computed, 1);
    }
}
