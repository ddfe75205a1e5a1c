using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Checkpoints;

public sealed class DequantizationTests
{
    [Theory]
    [InlineData(0x00, 0f)]
    [InlineData(0x01, 1 / 512f)] // the smallest: 2^-9
    [InlineData(0x07, 7 / 512f)]
    [InlineData(0x08, 1 / 64f)] // the smallest with a leading one: 2^-6
    [InlineData(0x38, 1f)]
    [InlineData(0x39, 1.125f)]
    [InlineData(0x7E, 448f)] // the largest
    [InlineData(0xB8, -1f)]
    [InlineData(0xFE, -448f)]
    [InlineData(0x7F, float.NaN)]
    [InlineData(0xFF, float.NaN)]
    public void E4M3_codes_have_the_values_of_the_paper(byte code, float value) =>
        Assert.Equal(value, Dequantization.Float8Value(code, SafetensorsType.Float8E4M3));

    [Theory]
    [InlineData(0x01, 1 / 65536f)] // 2^-16
    [InlineData(0x3C, 1f)]
    [InlineData(0x3D, 1.25f)]
    [InlineData(0x7B, 57344f)]
    [InlineData(0x7C, float.PositiveInfinity)]
    [InlineData(0xFC, float.NegativeInfinity)]
    [InlineData(0x7D, float.NaN)]
    public void E5M2_codes_have_the_values_of_the_paper(byte code, float value) =>
        Assert.Equal(value, Dequantization.Float8Value(code, SafetensorsType.Float8E5M2));

    [Fact]
    public void E5M2_is_the_upper_half_of_a_half()
    {
        using var scope = NewDisposeScope();
        var codes = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        var values = Dequantization.Float8(tensor(codes), SafetensorsType.Float8E5M2).data<float>().ToArray();
        Assert.Equal(codes.Select(c => (float)BitConverter.UInt16BitsToHalf((ushort)(c << 8))), values);
    }

    [Fact]
    public void A_block_that_juts_out_has_its_scale_on_what_is_there()
    {
        using var scope = NewDisposeScope();
        // 3 × 5 ones (0x38) in blocks of 2 × 3: scales [[1, 2], [3, 4]].
        var values =
            Dequantization.Scaled(full([3, 5], 0x38, dtype: ScalarType.Byte), SafetensorsType.Float8E4M3, tensor(new float[] { 1, 2, 3, 4 }, [2, 2]), 2, 3);
        Assert.Equal([1, 1, 1, 2, 2, 1, 1, 1, 2, 2, 3, 3, 3, 4, 4], values.data<float>().ToArray());
    }

    [Fact]
    public void Many_rows_and_stacked_matrices_are_decoded_as_one_by_one()
    {
        using var scope = NewDisposeScope();
        var codes = randint(0, 127, [2, 700, 9], dtype: ScalarType.Byte);
        var scales = rand(2, 6, 2);
        var all = Dequantization.Scaled(codes, SafetensorsType.Float8E4M3, scales, 128, 8);
        var plain = Dequantization.Float8(codes, SafetensorsType.Float8E4M3) * scales.repeat_interleave(128, 1).narrow(1, 0, 700).repeat_interleave(8, 2)
            .narrow(2, 0, 9);
        Assert.True(equal(all, plain).all().item<bool>());
        Assert.Equal(ScalarType.BFloat16, Dequantization.Scaled(codes, SafetensorsType.Float8E4M3, scales, 128, 8, ScalarType.BFloat16).dtype);
    }

    [Fact]
    public void MXFP4_is_low_half_first_times_a_power_of_two()
    {
        using var scope = NewDisposeScope();
        // Sixteen bytes 0x10, 0x32, … give the codes 0, 1, 2, … 15 twice.
        var bytes = Enumerable.Range(0, 16).Select(i => (byte)((2 * i + 1) % 16 << 4 | 2 * i % 16)).ToArray();
        float[] values = [0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0f, -0.5f, -1, -1.5f, -2, -3, -4, -6];
        var decoded = Dequantization.MxFp4(tensor(bytes, [1, 1, 1, 16]), tensor(new byte[] { 129 }, [1, 1, 1]));
        Assert.Equal([1, 1, 32], decoded.shape);
        Assert.Equal(values.Concat(values).Select(v => v * 4), decoded.data<float>().ToArray());
    }

    [Fact]
    public void MXFP4_scales_span_all_exponents()
    {
        using var scope = NewDisposeScope();
        var ones = full([1, 3, 1, 16], 0x22, dtype: ScalarType.Byte);
        var decoded = Dequantization.MxFp4(ones, tensor(new byte[] { 0, 254, 255 }, [1, 3, 1])).data<float>().ToArray();
        Assert.Equal(MathF.ScaleB(1, -127), decoded[0]);
        Assert.Equal(MathF.ScaleB(1, 127), decoded[32]);
        Assert.Equal(float.NaN, decoded[64]);
    }

    [Fact]
    public void Wrong_shapes_and_types_are_named()
    {
        using var scope = NewDisposeScope();
        var codes = zeros(4, 4, dtype: ScalarType.Byte);
        Assert.Contains("[2, 2]", Assert.Throws<ArgumentException>(() => Dequantization.Scaled(codes, SafetensorsType.Float8E4M3, zeros(3, 2), 2, 2)).Message);
        Assert.Throws<ArgumentException>(() => Dequantization.Scaled(codes, SafetensorsType.Float32, zeros(2, 2), 2, 2));
        Assert.Throws<ArgumentException>(() => Dequantization.Scaled(zeros(4, dtype: ScalarType.Byte), SafetensorsType.Float8E4M3, zeros(2), 2, 2));
        Assert.Throws<ArgumentException>(() => Dequantization.Float8(zeros(4), SafetensorsType.Float8E4M3));
        Assert.Contains("[experts, rows, groups, 16]", Assert.Throws<ArgumentException>(() => Dequantization.MxFp4(codes, codes)).Message);
    }
}
