using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Layers;

public sealed class AttentionTests
{
    // Softmax attention written out, one query at a time.
    private static float[] ByHand(float[,] q, float[,] k, float[,] v, double scale, Func<int, int, bool> sees, double? sink)
    {
        var (queries, keys, size, valueSize) = (q.GetLength(0), k.GetLength(0), q.GetLength(1), v.GetLength(1));
        var output = new float[queries * valueSize];
        for (var i = 0; i < queries; i++)
        {
            var logits = new double[keys];
            for (var j = 0; j < keys; j++)
                logits[j] = sees(i, j) ? Enumerable.Range(0, size).Sum(d => (double)q[i, d] * k[j, d]) * scale : double.NegativeInfinity;
            var sum = logits.Sum(Math.Exp) + (sink is { } s ? Math.Exp(s) : 0);
            for (var d = 0; d < valueSize; d++)
                output[i * valueSize + d] = (float)Enumerable.Range(0, keys).Sum(j => Math.Exp(logits[j]) / sum * v[j, d]);
        }

        return output;
    }

    private static float[,] Matrix(Tensor tensor)
    {
        var values = tensor.contiguous().data<float>().ToArray();
        var matrix = new float[tensor.shape[0], tensor.shape[1]];
        Buffer.BlockCopy(values, 0, matrix, 0, values.Length * sizeof(float));
        return matrix;
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(2, false)]
    [InlineData(2, true)]
    public void Attention_equals_the_formula_written_out(int? window, bool sinks)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var (q, k, v) = (randn(2, 4, 3, 5), randn(2, 2, 6, 5), randn(2, 2, 6, 7)); // the queries are the last three of six positions
        var sink = sinks ? randn(4) : null;
        using var context = new ForwardContext();
        var output = ScaledDotProductAttention.Attend(q, k, v, 0.3, context.CausalMask(3, 6, window, CPU), sink);
        Assert.Equal([2, 4, 3, 7], output.shape);
        for (var batch = 0; batch < 2; batch++)
        {
            for (var head = 0; head < 4; head++)
            {
                var expected = ByHand(Matrix(q[batch, head]), Matrix(k[batch, head / 2]), Matrix(v[batch, head / 2]), 0.3,
                    (i, j) => j <= i + 3 && (window is null || j > i + 3 - window), sink?[head].item<float>());
                var ours = output[batch, head].contiguous().data<float>().ToArray();
                for (var i = 0; i < ours.Length; i++) Assert.Equal(expected[i], ours[i], 1e-5f);
            }
        }
    }

    [Fact]
    public void No_position_sees_a_later_one()
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        var rotary = new RotaryEmbedding(new(10000), 8);
        var latent = new LatentAttentionConfig(6, 5, 4, 8, 3);
        var layers = new List<Func<Tensor, Tensor>>
        {
            new GroupedQueryAttention(16, new(4, 2, 8) { QueryKeyNorm = QueryKeyNorm.PerHead, OutputGate = true, Sinks = true,
                QueryKeyValueBias = true, OutputBias = true }, rotary).forward,
            new GroupedQueryAttention(16, new(4, 2, 8) { QueryKeyNorm = QueryKeyNorm.FullWidth, Clip = 0.5, SlidingWindow = 3 }, rotary, slidingWindow: true)
                .forward,
            new GroupedQueryAttention(16, new(4, 4, 8) { QueryKeyNorm = QueryKeyNorm.WithoutWeights }).forward,
            new LatentAttention(16, new(3, 3, 8), latent, rotary).forward,
            new GatedDeltaNet(16, new(2, 4, 4, 4, 3)).forward,
        };
        foreach (var layer in layers)
        {
            var hidden = randn(2, 6, 16);
            var changed = hidden.clone();
            changed.narrow(1, 4, 2).add_(1);
            var (before, after) = (layer(hidden), layer(changed));
            Assert.Equal([2, 6, 16], before.shape);
            Assert.True(before.narrow(1, 0, 4).allclose(after.narrow(1, 0, 4), atol: 1e-7));
            Assert.False(before.narrow(1, 4, 2).allclose(after.narrow(1, 4, 2), atol: 1e-7));
        }
    }

    [Fact]
    public void Clipping_bounds_queries_keys_and_values()
    {
        using var scope = NewDisposeScope();
        using var clipped = new GroupedQueryAttention(4, new(1, 1, 4) { Clip = 0.01 });
        using (no_grad())
        {
            foreach (var name in new[] { "q_proj", "k_proj", "v_proj", "o_proj" })
                ((Projection)clipped.named_children().Single(child => child.name == name).module).Weight.copy_(eye(4));
        }

        var output = clipped.forward(randn(1, 3, 4) * 100); // values are ±0.01, and their mean is no larger
        Assert.True(output.abs().max().item<float>() <= 0.01f + 1e-7f);
    }

    [Fact]
    public void The_delta_rule_recalls_the_last_value_written_under_a_key_and_the_gate_fades_it()
    {
        using var scope = NewDisposeScope();
        // Key (1, 0) gets value 2, key (0, 1) value 5, key (1, 0) value 3; the last query asks for both keys.
        var key = tensor(new float[] { 1, 0, 0, 1, 1, 0 }, [1, 3, 1, 2]);
        var value = tensor(new float[] { 2, 5, 3 }, [1, 3, 1, 1]);
        var query = tensor(new float[] { 1, 0, 1, 0, 1, 1 }, [1, 3, 1, 2]);
        var rate = ones(1, 3, 1);
        Assert.Equal([2f, 2, 3 + 5], GatedDeltaNet.Recur(query, key, value, ones(1, 3, 1), rate, null).Read.data<float>().ToArray());
        Assert.Equal([2f, 1, 3 + 2.5f], GatedDeltaNet.Recur(query, key, value, full(1, 3, 1, 0.5), rate, null).Read.data<float>().ToArray());
        // At half the rate a value is written half: 1, then 1 + (3 − 1) / 2.
        Assert.Equal([1f, 1, 2 + 2.5f], GatedDeltaNet.Recur(query, key, value, ones(1, 3, 1), rate * 0.5, null).Read.data<float>().ToArray());
    }

    [Fact]
    public void Wrong_shapes_types_and_heads_are_named()
    {
        using var scope = NewDisposeScope();
        var rotary = new RotaryEmbedding(new(10000), 8);
        using var attention = new GroupedQueryAttention(16, new(4, 2, 8), rotary);
        using var latent = new LatentAttention(16, new(2, 2, 8), new(null, 4, 4, 8, 4), rotary);
        using var linear = new GatedDeltaNet(16, new(1, 2, 4, 4, 2));
        foreach (var forward in new Func<Tensor, Tensor>[] { attention.forward, latent.forward, linear.forward })
        {
            Assert.Contains("hidden has shape [1, 3, 12] but [batch, sequence, hidden = 16]", Assert.Throws<ArgumentException>(() => forward(zeros(1, 3, 12))).Message);
            Assert.Contains("hidden has shape [3, 16]", Assert.Throws<ArgumentException>(() => forward(zeros(3, 16))).Message);
            Assert.Contains("BFloat16", Assert.Throws<ArgumentException>(() => forward(zeros(1, 3, 16, ScalarType.BFloat16))).Message);
            Assert.Contains("meta", Assert.Throws<ArgumentException>(() => forward(zeros(1, 3, 16, device: META))).Message);
        }

        Assert.Contains("multiple of KeyValueHeadCount (3)", Assert.Throws<ArgumentException>(() => new GroupedQueryAttention(16, new(4, 3, 8))).Message);
        Assert.Contains("heads of 8 elements but HeadSize is 4", Assert.Throws<ArgumentException>(() => new GroupedQueryAttention(16, new(4, 2, 4), rotary)).Message);
        Assert.Contains("3 heads, which does not divide the queries' 4", Assert.Throws<ArgumentException>(
            () => ScaledDotProductAttention.Weights(zeros(1, 4, 2, 8), zeros(1, 3, 2, 8), 1)).Message);
        Assert.Contains("keys has shape [1, 2, 2, 7]", Assert.Throws<ArgumentException>(
            () => ScaledDotProductAttention.Weights(zeros(1, 4, 2, 8), zeros(1, 2, 2, 7), 1)).Message);
        Assert.Contains("values has shape [1, 2, 3, 5]", Assert.Throws<ArgumentException>(
            () => ScaledDotProductAttention.Attend(zeros(1, 4, 2, 8), zeros(1, 2, 2, 8), zeros(1, 2, 3, 5), 1)).Message);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(3, false)]
    [InlineData(3, true)]
    [InlineData(40, true)]
    public void Blocks_of_queries_give_the_same_output_and_gradients_as_all_at_once(int? window, bool sinks)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        Tensor Leaf(params long[] shape) => randn(shape).requires_grad_();
        var inputs = new List<Tensor> { Leaf(2, 4, 9, 5), Leaf(2, 2, 12, 5), Leaf(2, 2, 12, 7) };
        if (sinks) inputs.Add(Leaf(4));
        using var context = new ForwardContext();
        (Tensor Output, List<Tensor> Gradients) Run(long mostLogits)
        {
            foreach (var input in inputs) input.grad?.zero_();
            var output = ScaledDotProductAttention.AttendCausally(inputs[0], inputs[1], inputs[2], 0.3, window, sinks ? inputs[3] : null, context, mostLogits);
            (output * output).sum().backward();
            return (output.detach(), inputs.ConvertAll(input => input.grad!.clone()));
        }

        var whole = Run(long.MaxValue);
        foreach (var mostLogits in new[] { 1L, 2 * 4 * 12 * 2, 2 * 4 * 12 * 4 })
        {
            var blocks = Run(mostLogits);
            Assert.True(whole.Output.allclose(blocks.Output, atol: 1e-6));
            foreach (var (expected, gradient) in whole.Gradients.Zip(blocks.Gradients)) Assert.True(expected.allclose(gradient, rtol: 1e-4, atol: 1e-5));
        }
    }
}
