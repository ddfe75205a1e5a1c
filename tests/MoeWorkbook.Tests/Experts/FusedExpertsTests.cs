using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Experts;

public sealed class FusedExpertsTests
{
    // All relative to the norm of the output. Float32: the same products, added in another order. Integers: against the loop
    // on the dequantised weights only the rounding of the activations is left, about 0.5% for normal ones in groups of 32,
    // once before each projection.
    private const double Float32Bound = 1e-5, IntegerBound = 2e-2;

    // The loop rounds gate, up, the activation, gate · up, down, its product with the weight, and two sums. The kernel for
    // small batches rounds the result alone; the one for large batches gate, up, the inner activation, down and the result.
    private static readonly double _bFloat16Bound = OfRoundings(8 + 1), _largeBatchBound = OfRoundings(8 + 5);

    private static readonly int[] _vectorWidths = [512, 256, 128];

    private static IEnumerable<ByteProduct> ByteProducts => Enum.GetValues<ByteProduct>().Where(product => product <= Instructions.Best.ByteProduct);

    public static TheoryData<string> Routers => ExpertRunnerTests.Routers;

    [Theory]
    [MemberData(nameof(Routers))]
    public void Every_router_gives_the_loops_output(string name)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        manual_seed(11);
        using var router = ExpertRunnerTests.Router(name);
        router.train();
        using var experts = new ExpertWeights(12, 8, 6, init: new() { StandardDeviation = 0.5 });
        var hidden = randn(1, 5, 8);
        var routing = router.forward(new(hidden, tensor(new long[] { 3, 1, 4, 1, 5 }, [1, 5])));
        var expected = new LoopExperts().Run(hidden.view(5, 8), routing, experts);
        Assert.True(expected.abs().max().item<float>() > 0.01);
        Assert.InRange(Difference(new FusedExperts().Run(hidden.view(5, 8), routing, experts), expected), 0, Float32Bound);
    }

    [Theory]
    [InlineData(8, 6)]
    [InlineData(37, 51)]
    [InlineData(300, 270)]
    [InlineData(1025, 1030)]
    public void Every_width_of_register_gives_the_loops_output_whatever_the_sizes(int hiddenSize, int intermediateSize)
    {
        using var _ = no_grad();
        foreach (var (type, bound) in new[] { (ScalarType.Float32, Float32Bound), (ScalarType.BFloat16, _bFloat16Bound) })
        {
            using var experts = Experts(6, hiddenSize, intermediateSize, type);
            foreach (var tokens in new[] { 1, 2, 3, 4, 5, 7, 17, 40 })
            {
                using var scope = NewDisposeScope();
                var (hidden, routing) = Routed(tokens, 6, hiddenSize, type);
                var expected = new LoopExperts().Run(hidden, routing, experts);
                foreach (var width in _vectorWidths)
                {
                    var result = new FusedExperts(new(width, ByteProduct.Portable)).Run(hidden, routing, experts);
                    Assert.Equal(type, result.dtype);
                    Assert.True(Difference(result, expected) < bound, $"{type}, {width} bits, {tokens} tokens: {Difference(result, expected)}");
                }
            }
        }
    }

    [Theory]
    [InlineData(8, 6)]
    [InlineData(37, 51)]
    [InlineData(300, 270)]
    [InlineData(1025, 1030)]
    public void Quantised_experts_give_the_output_of_the_weights_that_they_stand_for(int hiddenSize, int intermediateSize)
    {
        using var _ = no_grad();
        using var experts = Experts(6, hiddenSize, intermediateSize, ScalarType.Float32);
        foreach (var weightType in new[] { WeightType.Int8, WeightType.Int4 })
        {
            using var quantized = QuantizedExpertWeights.Quantize(experts, weightType);
            using var reference = quantized.Dequantize();
            foreach (var tokens in new[] { 1, 2, 3, 4, 5, 7, 23 })
            {
                using var scope = NewDisposeScope();
                var (hidden, routing) = Routed(tokens, 6, hiddenSize, ScalarType.Float32);
                var expected = new LoopExperts().Run(hidden, routing, reference);
                Instructions[] instructions = [.. ByteProducts.Select(product => new Instructions(128, product)), Instructions.Best];
                var results = instructions.Select(each => new FusedExperts(each).Run(hidden, routing, quantized)).ToArray();
                Assert.True(Difference(results[0], expected) < IntegerBound, $"{weightType}, {tokens} tokens: {Difference(results[0], expected)}");
                // Integer arithmetic is exact: every way of multiplying bytes gives the same.
                foreach (var result in results) Assert.Equal(0, Difference(result, results[0]));
                var narrow = new FusedExperts().Run(hidden.bfloat16(), routing, quantized);
                Assert.Equal(ScalarType.BFloat16, narrow.dtype);
                Assert.InRange(Difference(narrow, expected), 0, IntegerBound + _bFloat16Bound);
            }
        }
    }

    [Fact]
    public void Sums_of_the_largest_weights_and_activations_are_not_cut()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var experts = Experts(2, 512, 256, ScalarType.Float32);
        foreach (var weights in new[] { experts.GateUp, experts.Down })
        {
            // One weight of each group at −8 puts the others at +7, the largest that 4 bits store.
            weights.fill_(0.7);
            weights.slice(-1, 0, weights.shape[^1], IntegerBlock.GroupSize).fill_(-0.8);
            weights.narrow(1, 0, 64).neg_();
        }

        foreach (var weightType in new[] { WeightType.Int8, WeightType.Int4 })
        {
            using var quantized = QuantizedExpertWeights.Quantize(experts, weightType);
            using var reference = quantized.Dequantize();
            foreach (var sign in new[] { 1, -1 })
            {
                var (_, routing) = Routed(3, 2, 512, ScalarType.Float32);
                var hidden = full(3, 512, 0.01 * sign);
                var expected = new LoopExperts().Run(hidden, routing, reference);
                foreach (var product in ByteProducts)
                    Assert.InRange(Difference(new FusedExperts(new(128, product)).Run(hidden, routing, quantized), expected), 0, IntegerBound);
            }
        }
    }

    [Theory]
    [InlineData(8, 6)]
    [InlineData(37, 51)]
    [InlineData(300, 270)]
    [InlineData(1030, 1025)]
    public void Kernels_for_large_batches_give_the_loops_output_whatever_the_sizes(int hiddenSize, int intermediateSize)
    {
        using var _ = no_grad();
        foreach (var (type, bound) in new[] { (ScalarType.Float32, Float32Bound), (ScalarType.BFloat16, _largeBatchBound) })
        {
            using var experts = Experts(6, hiddenSize, intermediateSize, type);
            using var int8 = QuantizedExpertWeights.Quantize(experts, WeightType.Int8);
            using var int4 = QuantizedExpertWeights.Quantize(experts, WeightType.Int4);
            using ExpertWeights fromInt8 = int8.Dequantize(type), fromInt4 = int4.Dequantize(type);
            foreach (var tokens in hiddenSize > 1000 ? new[] { 7, 170 } : [1, 7, 40, 170, 400])
            {
                using var scope = NewDisposeScope();
                var (hidden, routing) = Routed(tokens, 6, hiddenSize, type);
                routing = routing with { Kept = routing.Experts.ne(3) };
                var expected = new LoopExperts().Run(hidden, routing, experts);
                foreach (var width in _vectorWidths)
                    Assert.InRange(Difference(new FusedExperts(new(width, ByteProduct.Portable), KernelKind.Panels).Run(hidden, routing, experts), expected), 0,
                        bound);
                if (!Instructions.Best.BFloat16Products) continue;
                var libtorch = new FusedExperts(Instructions.Best, KernelKind.Libtorch);
                if (type == ScalarType.BFloat16) Assert.InRange(Difference(libtorch.Run(hidden, routing, experts), expected), 0, _largeBatchBound);
                foreach (var (quantized, reference) in new[] { (int8, fromInt8), (int4, fromInt4) })
                {
                    var result = libtorch.Run(hidden, routing, quantized);
                    Assert.Equal(type, result.dtype);
                    Assert.InRange(Difference(result, new LoopExperts().Run(hidden, routing, reference)), 0, IntegerBound);
                }
            }
        }
    }

    [Fact]
    public void The_number_of_threads_changes_no_result()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var experts = Experts(4, 512, 1100, ScalarType.Float32);
        var (hidden, routing) = Routed(100, 4, 512, ScalarType.Float32);
        var runner = new FusedExperts(Instructions.Best, KernelKind.Panels);
        var together = runner.Run(hidden, routing, experts);
        var threads = get_num_threads();
        set_num_threads(1);
        try
        {
            Assert.Equal(0, Difference(runner.Run(hidden, routing, experts), together));
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    [Fact]
    public void BFloat16_is_closer_to_the_exact_result_than_the_loop()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var experts = Experts(4, 256, 512, ScalarType.BFloat16);
        var (hidden, routing) = Routed(8, 4, 256, ScalarType.BFloat16);
        using var wide = new ExpertWeights(4, 256, 512);
        wide.GateUp.copy_(experts.GateUp);
        wide.Down.copy_(experts.Down);
        var exact = new LoopExperts().Run(hidden.@float(), routing, wide);
        Assert.True(Difference(new FusedExperts().Run(hidden, routing, experts), exact) < Difference(new LoopExperts().Run(hidden, routing, experts), exact));
    }

    [Fact]
    public void Dropped_assignments_and_empty_experts_contribute_nothing()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var experts = Experts(6, 24, 40, ScalarType.Float32);
        var (hidden, routing) = Routed(9, 6, 24, ScalarType.Float32);
        routing = routing with { Kept = routing.Tokens.remainder(2).eq(0) & routing.Experts.ne(3) };
        var result = new FusedExperts().Run(hidden, routing, experts);
        Assert.InRange(Difference(result, new LoopExperts().Run(hidden, routing, experts)), 0, Float32Bound);
        Assert.Equal(0, result[1].abs().sum().item<float>());
        Assert.Equal(0, new FusedExperts().Run(hidden, routing with { Kept = zeros_like(routing.Kept) }, experts).abs().sum().item<float>());
    }

    [Fact]
    public void No_tokens_give_no_output()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var experts = Experts(4, 16, 24, ScalarType.Float32);
        using var quantized = QuantizedExpertWeights.Quantize(experts, WeightType.Int4);
        var nothing = empty([0], dtype: ScalarType.Int64);
        var routing = new RoutingDecision
        {
            Tokens = nothing,
            Experts = nothing,
            Weights = empty([0]),
            Kept = empty([0], dtype: ScalarType.Bool),
            Logits = empty([0, 4]),
            Scores = empty([0, 4]),
            Batch = 0,
            Sequence = 1,
        };
        Assert.Equal([0, 16], new FusedExperts().Run(empty([0, 16]), routing, experts).shape);
        Assert.Equal([0, 16], new FusedExperts().Run(empty([0, 16]), routing, quantized).shape);
    }

    [Fact]
    public void Views_and_strided_hidden_states_are_read_rightly()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var experts = Experts(4, 32, 48, ScalarType.Float32);
        var (hidden, routing) = Routed(5, 4, 32, ScalarType.Float32);
        var strided = hidden.t().contiguous().t();
        Assert.False(strided.is_contiguous());
        Assert.InRange(Difference(new FusedExperts().Run(strided, routing, experts), new LoopExperts().Run(hidden, routing, experts)), 0, Float32Bound);
    }

    [Fact]
    public void Threads_that_share_a_runner_get_their_own_results()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var experts = Experts(6, 128, 300, ScalarType.Float32);
        var runner = new FusedExperts();
        var cases = Enumerable.Range(1, 4).Select(tokens => Routed(tokens, 6, 128, ScalarType.Float32)).ToArray();
        var expected = cases.Select(c => runner.Run(c.Hidden, c.Routing, experts)).ToArray();
        var failures = 0;
        var threads = cases.Select((c, i) => new Thread(() =>
        {
            using var mine = NewDisposeScope();
            using var off = no_grad();
            for (var round = 0; round < 50; round++)
            {
                using var result = runner.Run(c.Hidden, c.Routing, experts);
                if (!result.data<float>().ToArray().AsSpan().SequenceEqual(expected[i].data<float>().ToArray())) Interlocked.Increment(ref failures);
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Assert.Equal(0, failures);
    }

    [Fact]
    public void What_it_cannot_compute_is_said()
    {
        using var scope = NewDisposeScope();
        var runner = new FusedExperts();
        using var experts = Experts(4, 16, 24, ScalarType.Float32);
        var (hidden, routing) = Routed(3, 4, 16, ScalarType.Float32);
        Assert.Contains("no gradients", Assert.Throws<NotSupportedException>(() => runner.Run(hidden, routing, experts)).Message);
        using var quantized = QuantizedExpertWeights.Quantize(experts, WeightType.Int8);
        Assert.Contains("no_grad", Assert.Throws<NotSupportedException>(() => runner.Run(hidden.requires_grad_(), routing, quantized)).Message);
        using var _ = no_grad();
        hidden = hidden.detach();
        using var relu = new ExpertWeights(4, 16, 24, FeedForwardKind.Relu);
        Assert.Contains("Relu", Assert.Throws<NotSupportedException>(() => runner.Run(hidden, routing, relu)).Message);
        Assert.Contains("Relu", Assert.Throws<ArgumentException>(() => QuantizedExpertWeights.Quantize(relu, WeightType.Int8)).Message);
        Assert.Contains("Float16", Assert.Throws<ArgumentException>(() => QuantizedExpertWeights.Quantize(experts, WeightType.Float16)).Message);
        using var biased = new ExpertWeights(4, 16, 24, bias: true);
        Assert.Contains("with biases", Assert.Throws<NotSupportedException>(() => runner.Run(hidden, routing, biased)).Message);
        using var wide = Experts(4, 16, 24, ScalarType.Float64);
        Assert.Contains("Float64", Assert.Throws<NotSupportedException>(() => runner.Run(hidden.@double(), routing, wide)).Message);
        var lost = routing with { Experts = routing.Experts + 4 };
        Assert.Contains("4 experts", Assert.Throws<ArgumentException>(() => runner.Run(hidden, lost, experts)).Message);
        Assert.Contains("hidden has shape [3, 8]", Assert.Throws<ArgumentException>(() => runner.Run(hidden.narrow(1, 0, 8), routing, quantized)).Message);
    }

    [Fact]
    public void What_lies_on_another_device_is_refused_before_its_memory_is_read()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        using var experts = Experts(4, 16, 24, ScalarType.Float32);
        using var quantized = QuantizedExpertWeights.Quantize(experts, WeightType.Int8);
        using var there = new ExpertWeights(4, 16, 24, init: new(META, ScalarType.Float32));
        var (hidden, routing) = Routed(3, 4, 16, ScalarType.Float32);
        var away = hidden.to(META);
        var routed = routing with
        {
            Tokens = routing.Tokens.to(META),
            Experts = routing.Experts.to(META),
            Weights = routing.Weights.to(META),
            Kept = routing.Kept.to(META),
            Logits = routing.Logits.to(META),
            Scores = routing.Scores.to(META),
        };
        Assert.Contains("computes on the CPU; hidden is on meta", Assert.Throws<NotSupportedException>(() => new FusedExperts().Run(away, routed, there)).Message);
        foreach (var run in new Func<Tensor, RoutingDecision, QuantizedExpertWeights,
            Tensor>[] { new FusedExperts().Run, new FastExperts().Run, new DenseBaseline(2).Run })
            Assert.Contains("computes on the CPU; hidden is on meta", Assert.Throws<NotSupportedException>(() => run(away, routed, quantized)).Message);
        Assert.Contains("routing.Tokens [6] is on meta but hidden [3, 16] is on cpu", Assert.Throws<ArgumentException>(() => new FusedExperts().Run(hidden, routed, quantized)).Message);
        Assert.Contains("experts are on meta", Assert.Throws<ArgumentException>(() => QuantizedExpertWeights.Quantize(there, WeightType.Int4)).Message);
        Assert.IsType<BatchedExperts>(new FastExperts().Choose(away, routed, there));
    }

    // Rounding to 8 bits moves a number by at most 2⁻⁸ of itself, and independent errors add up as their squares do.
    private static double OfRoundings(int count) => Math.Sqrt(count) / 256;

    // Generators of their own: the global one is shared with the tests that run at the same time.
    internal static ExpertWeights Experts(int count, int hiddenSize, int intermediateSize, ScalarType type)
    {
        using var generator = new Generator(17);
        return new(count, hiddenSize, intermediateSize, init: new(null, type) { StandardDeviation = 1 / Math.Sqrt(hiddenSize), Generator = generator });
    }

    internal static (Tensor Hidden, RoutingDecision Routing) Routed(int tokens, int experts, int hiddenSize, ScalarType type)
    {
        using var generator = new Generator((ulong)tokens);
        using var router = new SoftmaxTopKRouter(hiddenSize, experts, 2, init: new() { StandardDeviation = 1, Generator = generator });
        using var _ = no_grad();
        var hidden = empty(1, tokens, hiddenSize).normal_(0, 1, generator);
        return (hidden.view(tokens, hiddenSize).to(type), router.forward(new(hidden)));
    }

    /// <summary>‖result − expected‖ / ‖expected‖.</summary>
    internal static double Difference(Tensor result, Tensor expected)
    {
        using var scope = NewDisposeScope();
        var (a, b) = (result.@double(), expected.@double());
        return ((a - b).pow(2).sum() / b.pow(2).sum()).sqrt().item<double>();
    }
}
