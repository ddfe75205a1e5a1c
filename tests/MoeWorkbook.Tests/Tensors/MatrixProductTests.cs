using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Tensors;

public sealed class MatrixProductTests
{
    // A result is rounded to 8 bits, and libtorch may round partial sums.
    private const double Bound = 3.0 / 256;

    [Theory]
    [InlineData(1, ScalarType.BFloat16)]
    [InlineData(9, ScalarType.BFloat16)]
    [InlineData(9, ScalarType.Float16)]
    [InlineData(9, ScalarType.Float32)]
    public void Products_are_those_of_float32_rounded_whatever_the_processor(int rows, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        manual_seed(4);
        var (input, weight, bias) = (randn(2, rows, 96).to(type), randn(2_000, 96).to(type), randn(2_000).to(type));
        Close(nn.functional.linear(input.to(ScalarType.Float32), weight.to(ScalarType.Float32), bias.to(ScalarType.Float32)),
            MatrixProduct.Linear(input, weight, bias));

        var stack = weight.view(2, 1_000, 96);
        Close(bmm(input.to(ScalarType.Float32), stack.to(ScalarType.Float32).transpose(1, 2)), MatrixProduct.Batched(input, stack));
        Close(matmul(input.to(ScalarType.Float32), weight.to(ScalarType.Float32).t()), MatrixProduct.Multiply(input, weight.t()));

        void Close(Tensor expected, Tensor result)
        {
            Assert.Equal(type, result.dtype);
            Assert.Equal(expected.shape, result.shape);
            Assert.InRange((result.to(ScalarType.Float32) - expected).abs().max().item<float>() / expected.abs().max().item<float>(), 0, Bound);
        }
    }

    [Fact]
    public void Weights_of_more_than_one_piece_are_multiplied_whole()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var weight = randn(9_001, 256).bfloat16();
        var input = randn(8, 256).bfloat16();
        var expected = nn.functional.linear(input.to(ScalarType.Float32), weight.to(ScalarType.Float32));
        Assert.InRange((MatrixProduct.Linear(input, weight).to(ScalarType.Float32) - expected).abs().max().item<float>() / expected.abs().max().item<float>(),
            0, Bound);
    }

    [Fact]
    public void A_product_in_bfloat16_has_gradients()
    {
        using var scope = NewDisposeScope();
        var (input, weight) = (randn(8, 32).bfloat16().requires_grad_(), randn(16, 32).bfloat16().requires_grad_());
        MatrixProduct.Linear(input, weight).sum().backward();
        Assert.Equal(ScalarType.BFloat16, weight.grad!.dtype);
        var expected = input.detach().to(ScalarType.Float32).sum(dim: 0);
        Assert.InRange((weight.grad.to(ScalarType.Float32) - expected).abs().max().item<float>() / expected.abs().max().item<float>(), 0, Bound);
        Assert.Equal([8, 32], input.grad!.shape);
    }
}
