using static TorchSharp.torch;
using Questions = MoeWorkbook.Exercises;

namespace MoeWorkbook.Tests.Exercises;

/// <summary>Chapters 00 to 04: exercises that give and take tensors. Answers by hand and by autograd pass, and no wrong one does.</summary>
public sealed class TensorAnswerTests
{
    [Fact]
    public void Rows_are_scaled_by_a_column() => Answers.To(Questions.ScaledRows)
        .Right("unsqueeze", t => t.Hidden * t.Weights.unsqueeze(1))
        .Right("a diagonal matrix, float64", t => matmul(t.Weights.diag().to(ScalarType.Float64), t.Hidden.to(ScalarType.Float64)))
        .Right("row by row", t => stack([.. Enumerable.Range(0, (int)t.Weights.shape[0]).Select(i => t.Hidden[i] * t.Weights[i])]))
        .Wrong("a row", t => t.Hidden * t.Weights)
        .Wrong("the weights alone", t => t.Weights.unsqueeze(1).expand_as(t.Hidden))
        .Wrong("summed", t => (t.Hidden * t.Weights.unsqueeze(1)).sum(0L))
        .Wrong("another shape", t => (t.Hidden * t.Weights.unsqueeze(1)).unsqueeze(0))
        .Wrong("nothing", _ => null!);

    [Fact]
    public void The_gradient_of_a_squared_error() => Answers.To(Questions.SquaredErrorGradient)
        .Right("by hand", m => 2 * ((m.Parameters * m.Input).sum() - m.Target) * m.Input)
        .Right("by autograd", m =>
        {
            var w = m.Parameters.clone().requires_grad_();
            ((w * m.Input).sum() - m.Target).square().backward();
            return w.grad!;
        })
        .Wrong("no 2", m => ((m.Parameters * m.Input).sum() - m.Target) * m.Input)
        .Wrong("downhill", m => -2 * ((m.Parameters * m.Input).sum() - m.Target) * m.Input)
        .Wrong("of the input", m => 2 * ((m.Parameters * m.Input).sum() - m.Target) * m.Parameters)
        .Wrong("two passes added", m =>
        {
            var w = m.Parameters.clone().requires_grad_();
            for (var pass = 0; pass < 2; pass++) ((w * m.Input).sum() - m.Target).square().backward();
            return w.grad!;
        });

    [Fact]
    public void A_head_of_causal_attention() => Answers.To(Questions.CausalHead)
        .Right("the library's product", h =>
            nn.functional.scaled_dot_product_attention(h.Queries.unsqueeze(0), h.Keys.unsqueeze(0), h.Values.unsqueeze(0), is_casual: true).squeeze(0))
        .Right("row by row", h => stack([.. Enumerable.Range(1, (int)h.Queries.shape[0]).Select(n =>
            matmul((matmul(h.Keys.narrow(0, 0, n), h.Queries[n - 1]) / Math.Sqrt(h.Queries.shape[1])).softmax(0), h.Values.narrow(0, 0, n)))]))
        .Wrong("not causal", h => matmul((matmul(h.Queries, h.Keys.t()) / Math.Sqrt(h.Queries.shape[1])).softmax(-1), h.Values))
        .Wrong("not divided", h => Attended(h, scale: 1))
        .Wrong("divided by the size", h => Attended(h, scale: h.Queries.shape[1]))
        .Wrong("softmax down the columns", h => matmul(Scores(h, Math.Sqrt(h.Queries.shape[1])).softmax(0), h.Values))
        .Wrong("masked after the softmax", h => matmul((matmul(h.Queries, h.Keys.t()) / Math.Sqrt(h.Queries.shape[1])).softmax(-1).tril(), h.Values));

    [Fact]
    public void The_weights_of_a_batch() => Answers.To(Questions.CombineWeightMatrix)
        .Right("a softmax with the others masked", b => b.Logits.masked_fill(b.Logits < Least(b), double.NegativeInfinity).softmax(-1))
        .Right("the library's router", b =>
        {
            var router = new SoftmaxTopKRouter((int)b.Logits.shape[1], (int)b.Logits.shape[1], b.ExpertsPerToken);
            using (no_grad()) router.Weight.copy_(eye(b.Logits.shape[1]));
            router.eval();
            var decision = router.forward(new(b.Logits.unsqueeze(0)));
            return zeros_like(b.Logits).scatter(-1, decision.TopKExperts, decision.TopKWeights.detach());
        })
        .Wrong("softmax of all", b => b.Logits.softmax(-1))
        .Wrong("not renormalised", b => b.Logits.softmax(-1) * (b.Logits >= Least(b)))
        .Wrong("one half each", b => zeros_like(b.Logits).scatter(-1, b.Logits.topk(b.ExpertsPerToken).indexes, ones_like(b.Logits) / b.ExpertsPerToken))
        .Wrong("transposed", b => b.Logits.masked_fill(b.Logits < Least(b), double.NegativeInfinity).softmax(-1).t())
        .Wrong("[tokens, k]", b => b.Logits.topk(b.ExpertsPerToken).values.softmax(-1));

    [Fact]
    public void The_gradient_through_the_best_k() => Answers.To(Questions.TopKGradient)
        .Right("by autograd", b => Gradient(b, z =>
        {
            var (chosen, experts) = z.topk(b.ExpertsPerToken);
            return (chosen.softmax(-1) * b.Usefulness.gather(-1, experts)).sum();
        }))
        .Right("by autograd, renormalised", b => Gradient(b, z =>
        {
            var (chosen, experts) = z.softmax(-1).topk(b.ExpertsPerToken);
            return (chosen / chosen.sum(-1, keepdim: true) * b.Usefulness.gather(-1, experts)).sum();
        }))
        .Wrong("not renormalised", b => Gradient(b, z =>
        {
            var (chosen, experts) = z.softmax(-1).topk(b.ExpertsPerToken);
            return (chosen * b.Usefulness.gather(-1, experts)).sum();
        }))
        .Wrong("of all", b => Gradient(b, z => (z.softmax(-1) * b.Usefulness).sum()))
        .Wrong("sigmoids", b => Gradient(b, z =>
        {
            var (chosen, experts) = z.topk(b.ExpertsPerToken);
            return (chosen.sigmoid() * b.Usefulness.gather(-1, experts)).sum();
        }))
        .Wrong("none", b => zeros_like(b.Logits));

    [Fact]
    public void Outputs_go_back_to_their_tokens() => Answers.To(Questions.ScatteredOutputs)
        .Right("one by one", l =>
        {
            var output = zeros(l.TokenCount, l.Outputs.shape[1]);
            foreach (var (i, token) in l.Tokens.data<long>().ToArray().Index()) output[token] += l.Weights[i] * l.Outputs[i];
            return output;
        })
        .Right("a matrix of weights", l => matmul((arange(l.TokenCount).unsqueeze(1) == l.Tokens).to(ScalarType.Float32) * l.Weights, l.Outputs))
        .Wrong("no weights", l => zeros(l.TokenCount, l.Outputs.shape[1]).index_add(0, l.Tokens, l.Outputs, 1))
        .Wrong("the last one wins", l =>
        {
            var output = zeros(l.TokenCount, l.Outputs.shape[1]);
            foreach (var (i, token) in l.Tokens.data<long>().ToArray().Index()) output[token] = l.Weights[i] * l.Outputs[i];
            return output;
        })
        .Wrong("in the order of the list", l => l.Weights.unsqueeze(1) * l.Outputs)
        .Wrong("renormalised", l =>
        {
            var sum = zeros(l.TokenCount).index_add(0, l.Tokens, l.Weights, 1);
            return zeros(l.TokenCount, l.Outputs.shape[1]).index_add(0, l.Tokens, l.Weights.unsqueeze(1) * l.Outputs, 1) / sum.unsqueeze(1);
        });

    [Fact]
    public void A_tensor_is_shown_as_rows_of_numbers()
    {
        var message = new Exercise<Tensor, Tensor>("?", ["x"], _ => tensor(new float[] { 1, 2, 3, 4.5f }, [2, 2]), x => x).Check(x => x[0]).Message;
        Assert.Equal("Not yet. For x = [[1, 2], [3, 4.5]] your function gives [1, 2]; it should give [[1, 2], [3, 4.5]].", message);
        Assert.True(new Exercise<int, Tensor>("?", ["n"], _ => 3, n => arange(n)).Check(n => tensor([0L, 1, 2])).Correct);
    }

    /// <summary>The least of each token's k best logits, <c>[tokens, 1]</c>.</summary>
    private static Tensor Least((Tensor Logits, int ExpertsPerToken) batch) =>
        batch.Logits.topk(batch.ExpertsPerToken).values.narrow(-1, batch.ExpertsPerToken - 1, 1);

    private static Tensor Scores((Tensor Queries, Tensor Keys, Tensor Values) head, double scale)
    {
        var scores = matmul(head.Queries, head.Keys.t()) / scale;
        return scores.masked_fill(ones_like(scores).triu(1) > 0, double.NegativeInfinity);
    }

    private static Tensor Attended((Tensor Queries, Tensor Keys, Tensor Values) head, double scale) => matmul(Scores(head, scale).softmax(-1), head.Values);

    private static Tensor Gradient((Tensor Logits, int ExpertsPerToken, Tensor Usefulness) batch, Func<Tensor, Tensor> loss)
    {
        var z = batch.Logits.clone().requires_grad_();
        loss(z).backward();
        return z.grad!;
    }
}
