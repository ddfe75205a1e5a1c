using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Experts;

public sealed class QuantizedExpertWeightsTests
{
    [Fact]
    public void An_8_bit_weight_moves_by_at_most_half_a_step_of_its_row()
    {
        using var scope = NewDisposeScope();
        using var experts = FusedExpertsTests.Experts(3, 300, 70, ScalarType.Float32);
        using var quantized = QuantizedExpertWeights.Quantize(experts, WeightType.Int8);
        using var restored = quantized.Dequantize();
        var step = experts.GateUp.abs().amax([2], keepdim: true) / 127;
        Assert.True((experts.GateUp - restored.GateUp).abs().le(step * 0.5001).all().item<bool>());
        Assert.True((experts.Down - restored.Down).abs().le(experts.Down.abs().amax([2], keepdim: true) / 254 * 1.0001).all().item<bool>());
    }

    [Fact]
    public void A_4_bit_weight_moves_by_at_most_a_step_of_its_group_and_mostly_by_half()
    {
        using var scope = NewDisposeScope();
        using var experts = FusedExpertsTests.Experts(3, 320, 64, ScalarType.Float32);
        using var quantized = QuantizedExpertWeights.Quantize(experts, WeightType.Int4);
        using var restored = quantized.Dequantize();
        var step = experts.GateUp.view(-1, 32).abs().amax([1], keepdim: true) / 8 * 1.02; // the scale, with bfloat16's 8 bits, may be up to 0.4% off
        var moved = (experts.GateUp - restored.GateUp).view(-1, 32).abs();
        Assert.True(moved.le(step).all().item<bool>());
        Assert.InRange(moved.le(step / 2).to(ScalarType.Float32).mean().item<float>(), 0.97f, 1f);
    }

    [Fact]
    public void Numbers_of_the_grid_are_kept_exactly()
    {
        using var scope = NewDisposeScope();
        using var experts = new ExpertWeights(1, 32, 1);
        using (no_grad())
        {
            experts.GateUp.copy_(arange(64, ScalarType.Float32).remainder(16).sub(8).mul(0.25).view(1, 2, 32));
            experts.Down.zero_();
        }

        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            using var quantized = QuantizedExpertWeights.Quantize(experts, WeightType.Int4);
            using var restored = quantized.Dequantize(type);
            Assert.Equal(type, restored.GateUp.dtype);
            Assert.Equal(0, (restored.GateUp.@float() - experts.GateUp).abs().max().item<float>());
            Assert.Equal(0, restored.Down.@float().abs().max().item<float>());
        }
    }

    [Fact]
    public void Bytes_are_one_and_little_more_than_a_half_a_weight()
    {
        using var experts = FusedExpertsTests.Experts(2, 512, 256, ScalarType.BFloat16);
        const long weights = 2 * 3 * 512 * 256, rows = 2 * (2 * 256 + 512);
        using var int8 = QuantizedExpertWeights.Quantize(experts, WeightType.Int8);
        using var int4 = QuantizedExpertWeights.Quantize(experts, WeightType.Int4);
        Assert.Equal(weights + rows * 4, int8.Bytes);
        Assert.Equal(weights / 2 + weights / 32 * 2, int4.Bytes);
    }

    [Fact]
    public void Bfloat16_rounds_as_libtorch_does()
    {
        using var scope = NewDisposeScope();
        var values = cat([randn(1000), tensor(new[] { 0f, -0f, 1.00390625f, 1.01171875f, 3.4e38f, float.PositiveInfinity, 1e-40f })]);
        var expected = values.bfloat16().@float().data<float>().ToArray();
        var source = values.data<float>().ToArray();
        for (var i = 0; i < source.Length; i++)
            Assert.Equal(expected[i], BitConverter.UInt32BitsToSingle((uint)BFloat16Bits.Narrow(source[i]) << 16));
        Assert.True(float.IsNaN(BitConverter.UInt32BitsToSingle((uint)BFloat16Bits.Narrow(float.NaN) << 16)));
    }
}
