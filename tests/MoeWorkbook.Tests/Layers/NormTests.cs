using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Layers;

public sealed class NormTests
{
    [Fact]
    public void Rms_norm_by_hand()
    {
        using var scope = NewDisposeScope();
        using var norm = new RmsNorm(2, epsilon: 0.5);
        using (no_grad()) norm.get_parameter("weight")!.copy_(tensor(new float[] { 2, 3 }));
        // The mean square of (1, 2) is 2.5, with ε 3.
        var output = norm.forward(tensor(new float[] { 1, 2 }, [1, 2])).data<float>().ToArray();
        Assert.Equal(2 / Math.Sqrt(3), output[0], 1e-6);
        Assert.Equal(6 / Math.Sqrt(3), output[1], 1e-6);
    }

    [Fact]
    public void A_zero_centred_norm_with_weight_w_is_a_norm_with_weight_one_plus_w()
    {
        using var scope = NewDisposeScope();
        var (input, weight) = (randn(3, 8), randn(8));
        using var plain = new RmsNorm(8);
        using var centred = new RmsNorm(8, zeroCentered: true);
        using (no_grad())
        {
            plain.get_parameter("weight")!.copy_(weight + 1);
            centred.get_parameter("weight")!.copy_(weight);
        }

        Assert.True(plain.forward(input).allclose(centred.forward(input)));
    }

    [Fact]
    public void Layer_norm_has_mean_zero_and_variance_one_before_its_weights()
    {
        using var scope = NewDisposeScope();
        using var norm = new LayerNorm(64, epsilon: 0);
        var output = norm.forward(randn(5, 64) * 3 + 2);
        Assert.True(output.mean([1L]).abs().max().item<float>() < 1e-5);
        Assert.True((output.square().mean([1L]) - 1).abs().max().item<float>() < 1e-5);
    }

    [Fact]
    public void A_half_precision_input_is_normalised_in_float32_and_keeps_its_type()
    {
        using var scope = NewDisposeScope();
        using var norm = new RmsNorm(4, init: new(DataType: ScalarType.BFloat16));
        var output = norm.forward(full(1, 4, 300, dtype: ScalarType.BFloat16));
        Assert.Equal(ScalarType.BFloat16, output.dtype);
        Assert.True((output.to(ScalarType.Float32) - 1).abs().max().item<float>() < 1e-2);
    }

    [Fact]
    public void Wrong_shapes_and_types_are_named()
    {
        using var scope = NewDisposeScope();
        using var rms = new RmsNorm(4);
        using var layer = new LayerNorm(4);
        Assert.Contains("[2, 3] but […, size = 4]", Assert.Throws<ArgumentException>(() => rms.forward(zeros(2, 3))).Message);
        Assert.Contains("[2, 3] but […, size = 4]", Assert.Throws<ArgumentException>(() => layer.forward(zeros(2, 3))).Message);
        Assert.Contains("Float64", Assert.Throws<ArgumentException>(() => rms.forward(zeros(2, 4, ScalarType.Float64))).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new RmsNorm(0));
    }
}
