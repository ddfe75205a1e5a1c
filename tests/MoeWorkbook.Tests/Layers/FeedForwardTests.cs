using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Layers;

public sealed class FeedForwardTests
{
    private static double Silu(double x) => x / (1 + Math.Exp(-x));

    [Fact]
    public void The_gated_forms_by_hand()
    {
        using var scope = NewDisposeScope();
        var (gate, value) = (tensor(new float[] { 1, -2, 9 }), tensor(new float[] { 3, 4, -9 }));
        double[] Of(FeedForwardKind kind) => [.. Activation.Gated(kind, gate, value).data<float>().ToArray().Select(x => (double)x)];
        Assert.Equal([3 * Silu(1), 4 * Silu(-2), -9 * Silu(9)], Of(FeedForwardKind.SwiGlu), (a, b) => Math.Abs(a - b) < 1e-5);
        Assert.Equal(3 * 0.8413447, Of(FeedForwardKind.GeGlu)[0], 1e-5); // Φ(1)
        Assert.Equal(3 * 0.8411920, Of(FeedForwardKind.GeGluTanh)[0], 1e-5); // (1 + tanh(√(2/π) · 1.044715)) / 2
        double Clamped(double g, double v) => g / (1 + Math.Exp(-1.702 * g)) * (v + 1);
        Assert.Equal([Clamped(1, 3), Clamped(-2, 4), Clamped(7, -7)], Of(FeedForwardKind.ClampedSwiGlu), (a, b) => Math.Abs(a - b) < 1e-5);
        var tighter = Activation.Gated(FeedForwardKind.ClampedSwiGlu, gate, value, new(Limit: 0.5, Slope: 2)).data<float>().ToArray();
        Assert.Equal(0.5 / (1 + Math.Exp(-1)) * 1.5, tighter[0], 1e-5);
        Assert.Equal(0.5 / (1 + Math.Exp(-1)) * 0.5, tighter[2], 1e-5);
    }

    [Theory]
    [InlineData(FeedForwardKind.SwiGlu, 3)]
    [InlineData(FeedForwardKind.GeGlu, 3)]
    [InlineData(FeedForwardKind.GeGluTanh, 3)]
    [InlineData(FeedForwardKind.ClampedSwiGlu, 3)]
    [InlineData(FeedForwardKind.Relu, 2)]
    [InlineData(FeedForwardKind.Gelu, 2)]
    public void An_expert_with_a_dense_blocks_weights_computes_the_same(FeedForwardKind kind, int matrices)
    {
        using var scope = NewDisposeScope();
        using var dense = new FeedForward(6, 5, kind, bias: true, new() { StandardDeviation = 1 });
        Assert.Equal(matrices * 30 + (matrices - 1) * 5 + 6, dense.parameters().Sum(parameter => parameter.numel()));
        var weights = dense.named_parameters().ToDictionary(named => named.name, named => (Tensor)named.parameter);
        Tensor Stacked(string part) => matrices == 3 ? cat([weights[$"gate_proj.{part}"], weights[$"up_proj.{part}"]], 0) : weights[$"up_proj.{part}"];
        var expert = new Expert(kind, Stacked("weight"), weights["down_proj.weight"], Stacked("bias"), weights["down_proj.bias"]);
        var input = randn(4, 6);
        Assert.True(expert.Forward(input).allclose(dense.forward(input), atol: 1e-5));
    }

    [Fact]
    public void Wrong_shapes_are_named()
    {
        using var scope = NewDisposeScope();
        using var block = new FeedForward(6, 5);
        Assert.Contains("input has shape [4, 5] but […, input size = 6]", Assert.Throws<ArgumentException>(() => block.forward(zeros(4, 5))).Message);
        Assert.Contains("gate has shape [2] but value has shape [3]", Assert.Throws<ArgumentException>(
            () => Activation.Gated(FeedForwardKind.SwiGlu, zeros(2), zeros(3))).Message);
        Assert.Contains("2·intermediate", Assert.Throws<ArgumentException>(() => Activation.Apply(FeedForwardKind.SwiGlu, zeros(2, 3))).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new FeedForward(0, 5));
    }
}
