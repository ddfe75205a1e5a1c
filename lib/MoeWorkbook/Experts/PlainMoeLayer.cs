using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>A Mixture-of-Experts layer on one slide: every token visits the k experts of largest logit, weighted by the softmax of those k (Mixtral; Jiang et
/// al. 2024, section 2.1).</summary>
/// <param name="gate">The router: a linear map from hidden states to one logit an expert.</param>
/// <param name="experts">The experts, each a feed-forward block.</param>
/// <param name="k">How many experts a token visits.</param>
/// <remarks>To be read; <see cref="MoeLayer"/> computes the same with any router, any way of running the experts, capacities and shared experts.</remarks>
public sealed class PlainMoeLayer(Linear gate, ModuleList<Module<Tensor, Tensor>> experts, int k) : Module<Tensor, Tensor>(nameof(PlainMoeLayer))
{
    /// <summary>Computes the layer.</summary>
    /// <param name="tokens">Hidden states, <c>[tokens, hidden]</c>.</param>
    /// <returns><c>[tokens, hidden]</c>.</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var logits = gate.forward(tokens); // [tokens, experts]
        var (largest, chosen) = logits.topk(k); // both [tokens, k]
        var weights = largest.softmax(-1); // [tokens, k]
        var output = zeros_like(tokens); // [tokens, hidden]
        for (var e = 0; e < experts.Count; e++)
        {
            var visits = chosen.eq(e).nonzero(); // [visits, 2]: the token, and which of its k choices
            var (token, choice) = (visits[.., 0], visits[.., 1]); // both [visits]
            var computed = experts[e].forward(tokens[token]); // [visits, hidden]
            output = output.index_add(0, token, weights[token, choice].unsqueeze(-1) * computed, 1);
        }

        return output.MoveToOuterDisposeScope();
    }
}
