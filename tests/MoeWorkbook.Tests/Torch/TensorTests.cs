using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests.Torch;

public class TensorTests
{
    private static float[] Floats(Tensor tensor) => tensor.to(float32).data<float>().ToArray();

    private static long[] Longs(Tensor tensor) => tensor.to(int64).data<long>().ToArray();

    private static readonly float[] Ten = [1, 5, 3, 2, 4, 0];

    private static Tensor Matrix() => tensor(new float[] { 1, 2, 3, 4, 5, 6 }, [2, 3]);

    [Fact]
    public void Creation_gives_shape_type_and_values()
    {
        using var scope = NewDisposeScope();
        Assert.Equal([0f, 0, 0], Floats(zeros(3)));
        Assert.Equal([1f, 1], Floats(ones(2)));
        Assert.Equal([7f, 7, 7, 7], Floats(full(2, 2, 7f)));
        Assert.Equal([1f, 0, 0, 1], Floats(eye(2)));
        Assert.Equal([0, 1, 2, 3], Longs(arange(4)));
        Assert.Equal([1f, 1.5f, 2], Floats(arange(1, 2.1, 0.5)));
        Assert.Equal([0f, 0.5f, 1], Floats(linspace(0, 1, 3)));
        Assert.Equal(int64, arange(4).dtype);
        Assert.Equal(int64, full(2, 2, 7).dtype);
        Assert.Equal(float32, arange(4.0).dtype);
        Assert.Equal([2L, 3, 4], empty(2, 3, 4).shape);
        Assert.Equal(bfloat16, zeros(2, dtype: bfloat16).dtype);
        Assert.Equal([2L, 3], zeros_like(Matrix()).shape);
        Assert.Equal(int32, tensor(3).dtype);
        Assert.Equal([2L, 2], from_array(new double[,] { { 1, 2 }, { 3, 4 } }).shape);
    }

    [Fact]
    public void Arithmetic_broadcasts()
    {
        using var scope = NewDisposeScope();
        var row = tensor(new float[] { 10, 20, 30 });
        Assert.Equal([11f, 22, 33, 14, 25, 36], Floats(Matrix() + row));
        Assert.Equal([-9f, -18, -27, -6, -15, -24], Floats(Matrix() - row));
        Assert.Equal([2f, 4, 6, 8, 10, 12], Floats(2 * Matrix()));
        Assert.Equal([0.5f, 1, 1.5f, 2, 2.5f, 3], Floats(Matrix() / 2));
        Assert.Equal([6f, 3, 2], Floats(6f / tensor(new float[] { 1, 2, 3 })));
        Assert.Equal([4f, 3, 2], Floats(5 - tensor(new float[] { 1, 2, 3 })));
        Assert.Equal([1L, 0, 1], Longs(tensor(new long[] { 7, 8, 9 }) % 2));
        Assert.Equal([3L, 4, 4], Longs(tensor(new long[] { 7, 8, 9 }).div(2, RoundingMode.floor)));
        Assert.Equal([1f, 4, 9], Floats(tensor(new float[] { 1, 2, 3 }).pow(2)));
        Assert.Equal([1f, 2, 2], Floats(tensor(new float[] { 0, 2, 3 }).clamp(1, 2)));
        Assert.Equal([5f, 7, 9], Floats(row.mul_(0).add_(tensor(new float[] { 1, 2, 3 })).add(tensor(new float[] { 2, 2.5f, 3 }), 2)));
    }

    [Fact]
    public void Functions_agree_with_their_formulas()
    {
        using var scope = NewDisposeScope();
        double[] points = [-2, -0.5, 0, 0.5, 2];
        var x = tensor(points);
        void Agrees(Tensor actual, Func<double, double> formula) => Assert.All(actual.data<double>().Zip(points), pair => Assert.Equal(formula(pair.Second), pair.First, 6));
        Agrees(x.exp(), Math.Exp);
        Agrees(x.sigmoid(), v => 1 / (1 + Math.Exp(-v)));
        Agrees(nn.functional.silu(x), v => v / (1 + Math.Exp(-v)));
        Agrees(nn.functional.relu(x), v => Math.Max(0, v));
        Agrees(nn.functional.softplus(x), v => Math.Log(1 + Math.Exp(v)));
        Agrees(nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh), v => v / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (v + 0.044715 * v * v * v))));
        Agrees(x.tanh(), Math.Tanh);
        Agrees(x.square().add(1).rsqrt(), v => 1 / Math.Sqrt(v * v + 1));
        Agrees(x.square().add(1).log(), v => Math.Log(v * v + 1));
        Agrees(x.abs().sqrt(), v => Math.Sqrt(Math.Abs(v)));
        Agrees(x.cos(), Math.Cos);
    }

    [Fact]
    public void Comparison_and_logic_are_elementwise()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new float[] { 1, 2, 3 });
        Assert.Equal([false, true, true], x.ge(2).data<bool>().ToArray());
        Assert.Equal([false, true, false], (x == 2).data<bool>().ToArray());
        Assert.Equal([true, false, false], ((x < 3) & x.ne(2)).data<bool>().ToArray());
        Assert.Equal([false, false, true], (~(x < 3)).data<bool>().ToArray());
        Assert.True(x.allclose(x + 1e-7));
        Assert.False(x.allclose(x + 1));
        Assert.Equal([1f, 0, 3], Floats(where(x == 2, zeros(3), x)));
        Assert.Equal([1f, -1, 3], Floats(x.masked_fill(x == 2, -1)));
    }

    [Fact]
    public void Matrix_products_agree_with_hand_computation()
    {
        using var scope = NewDisposeScope();
        var square = Matrix().matmul(Matrix().transpose(0, 1));
        Assert.Equal([14f, 32, 32, 77], Floats(square));
        Assert.Equal([14f, 32, 32, 77], Floats(einsum("ik,jk->ij", Matrix(), Matrix())));
        Assert.Equal([14f, 32], Floats(Matrix().matmul(tensor(new float[] { 1, 2, 3 }))));
        Assert.Equal([14f, 32, 32, 77], Floats(bmm(Matrix().unsqueeze(0), Matrix().unsqueeze(0).mT).squeeze(0)));
        Assert.Equal(Math.Sqrt(91), linalg.vector_norm(Matrix()).ToDouble(), 5);
        Assert.Equal([3f, 5, 7], Floats(nn.functional.conv1d(tensor(new float[] { 1, 2, 3, 4 }, [1, 1, 4]), ones(1, 1, 2)).flatten()));
    }

    [Fact]
    public void Reductions_take_whole_tensors_or_dimensions()
    {
        using var scope = NewDisposeScope();
        Assert.Equal(21f, Matrix().sum().item<float>());
        Assert.Equal([5f, 7, 9], Floats(Matrix().sum(dim: 0)));
        Assert.Equal([2f, 5], Floats(Matrix().mean([1])));
        Assert.Equal([2L, 1], Matrix().mean([1], keepdim: true).shape);
        Assert.Equal([3f, 6], Floats(Matrix().max(1).values));
        Assert.Equal([3f, 6], Floats(Matrix().amax([1])));
        Assert.Equal([2L, 2], Longs(Matrix().argmax(1)));
        Assert.Equal([1f, 1], Floats(Matrix().std(1)));
        Assert.Equal([1f, 3, 6, 4, 9, 15], Floats(Matrix().cumsum(1)));
        Assert.Equal(Math.Log(Math.Exp(1) + Math.Exp(2) + Math.Exp(3)), Matrix().logsumexp(1)[0].ToDouble(), 5);
        Assert.Equal([1L, 0, 2], Longs(tensor(new long[] { 2, 0, 2 }).bincount(null, 3)));
        Assert.True((Matrix() > 0).all().item<bool>());
        Assert.Equal(2, (Matrix() > 4).sum().item<long>());
    }

    [Fact]
    public void Softmax_sums_to_one_and_keeps_the_ratio()
    {
        using var scope = NewDisposeScope();
        var p = tensor(new float[] { 0, MathF.Log(3) }).softmax(-1);
        Assert.Equal(0.25, p[0].ToDouble(), 6);
        Assert.Equal(0.75, p[1].ToDouble(), 6);
        Assert.True(p.log().allclose(nn.functional.log_softmax(tensor(new float[] { 0, MathF.Log(3) }), -1)));
    }

    [Fact]
    public void Cross_entropy_is_minus_the_log_probability_of_the_target()
    {
        using var scope = NewDisposeScope();
        var loss = nn.functional.cross_entropy(tensor(new float[] { 0, MathF.Log(3) }, [1, 2]), tensor(new long[] { 1 }));
        Assert.Equal(-Math.Log(0.75), loss.ToDouble(), 6);
    }

    [Fact]
    public void Topk_and_sort_give_values_and_places()
    {
        using var scope = NewDisposeScope();
        var x = tensor(Ten);
        var (values, indices) = x.topk(2);
        Assert.Equal([5f, 4], Floats(values));
        Assert.Equal([1L, 4], Longs(indices));
        var (sorted, places) = x.sort(descending: true);
        Assert.Equal([5f, 4, 3, 2, 1, 0], Floats(sorted));
        Assert.Equal([1L, 4, 2, 3, 0, 5], Longs(places));
        Assert.Equal([5L, 0, 3, 2, 4, 1], Longs(x.argsort()));
    }

    [Fact]
    public void Equal_values_give_topk_distinct_places_and_a_stable_sort_keeps_their_order()
    {
        using var scope = NewDisposeScope();
        var (values, indices) = zeros(6).topk(3);
        Assert.Equal([0f, 0, 0], Floats(values));
        Assert.Equal(3, Longs(indices).Distinct().Count());
        Assert.Equal([0L, 1, 2, 3, 4, 5], Longs(zeros(6).sort(stable: true).Indices));
    }

    [Fact]
    public void Gathering_and_scattering_move_by_index()
    {
        using var scope = NewDisposeScope();
        var places = tensor(new long[] { 2, 0 });
        Assert.Equal([3f, 1, 6, 4], Floats(Matrix().index_select(1, places)));
        Assert.Equal([3f, 4], Floats(Matrix().gather(1, places.unsqueeze(1)).flatten()));
        Assert.Equal([4f, 5, 6, 0, 0, 0, 1, 2, 3], Floats(zeros(3, 3).index_add_(0, places, Matrix(), 1)));
        Assert.Equal([0f, 0, 1, 1, 0, 0], Floats(zeros(2, 3).scatter_(1, places.unsqueeze(1), ones(2, 1))));
        Assert.Equal([3f, 0], Floats(zeros(2).scatter_add_(0, zeros(3, dtype: int64), ones(3))));
        Assert.Equal([0L, 2, 1, 0], Longs(tensor(new float[] { 0, 0, 1, 2, 0, 0 }, [2, 3]).nonzero()));
        Assert.Equal([0L, 1, 0, 1, 0, 0], Longs(nn.functional.one_hot(tensor(new long[] { 1, 0 }), 3)));
    }

    [Fact]
    public void Shapes_change_without_touching_values()
    {
        using var scope = NewDisposeScope();
        Assert.Equal([1f, 4, 2, 5, 3, 6], Floats(Matrix().transpose(0, 1).contiguous()));
        Assert.Equal([1f, 4, 2, 5, 3, 6], Matrix().t().data<float>().ToArray());
        Assert.Equal([3L, 2], Matrix().permute(1, 0).shape);
        Assert.Equal([3L, 2], Matrix().view(3, 2).shape);
        Assert.Equal([6L], Matrix().flatten().shape);
        Assert.Equal([2L, 1, 3], Matrix().unsqueeze(1).shape);
        Assert.Equal([2L, 3], Matrix().unsqueeze(1).squeeze(1).shape);
        Assert.Equal([4L, 2, 3], Matrix().unsqueeze(0).expand(4, -1, -1).shape);
        Assert.Equal([1f, 1, 2, 2], Floats(tensor(new float[] { 1, 2 }).repeat_interleave(2)));
        Assert.Equal([2L, 6], cat([Matrix(), Matrix()], 1).shape);
        Assert.Equal([2L, 2, 3], stack([Matrix(), Matrix()]).shape);
        Assert.Equal([2, 1], Matrix().chunk(2, 1).Select(part => (int)part.size(1)));
        Assert.Equal([1, 2], Matrix().split([1, 2], 1).Select(part => (int)part.size(1)));
        Assert.Equal(3, Matrix().unbind(1).Length);
        Assert.Equal([1f, 0, 0, 1, 1, 0, 1, 1, 1], Floats(ones(3, 3).tril()));
        Assert.Equal([0f, 1, 1, 0, 0, 1, 0, 0, 0], Floats(ones(3, 3).triu(1)));
        Assert.Equal([3f, 1, 2], Floats(tensor(new float[] { 1, 2, 3 }).roll(1)));
    }

    [Fact]
    public void Indices_select_as_in_python()
    {
        using var scope = NewDisposeScope();
        var x = arange(24).reshape(2, 3, 4);
        Assert.Equal([12L], Longs(x[1, 0, 0].unsqueeze(0)));
        Assert.Equal([3L, 4], x[0].shape);
        Assert.Equal([3L, 7, 11, 15, 19, 23], Longs(x[TensorIndex.Ellipsis, 3].flatten()));
        Assert.Equal([4L, 8], Longs(x[0, TensorIndex.Slice(1), 0]));
        Assert.Equal([0L, 2], Longs(x[0, 0, TensorIndex.Slice(0, null, 2)]));
        Assert.Equal([2L, 3], Longs(x[0, 0, 2..]));
        Assert.Equal([0L, 1, 2], Longs(x[0, 0, ..^1]));
        Assert.Equal([23L], Longs(x[^1, ^1, ^1].unsqueeze(0)));
        Assert.Equal([2L, 1, 3, 4], x[TensorIndex.Colon, TensorIndex.Null].shape);
        Assert.Equal([2L, 2, 4], x[TensorIndex.Colon, TensorIndex.Tensor(tensor(new long[] { 0, 2 }))].shape);
        Assert.Equal([22L, 23], Longs(x[x > 21]));
        Assert.Equal([3L, 16], Longs(x[tensor(new long[] { 0, 1 }), tensor(new long[] { 0, 1 }), tensor(new long[] { 3, 0 })]));
    }

    [Fact]
    public void Assigning_to_indices_changes_only_them()
    {
        using var scope = NewDisposeScope();
        var x = zeros(2, 3);
        x[1, 2] = 5f;
        x[0, ..2] = tensor(new float[] { 1, 2 });
        Assert.Equal([1f, 2, 0, 0, 0, 5], Floats(x));
        x[x == 0] = -1f;
        Assert.Equal([1f, 2, -1, -1, -1, 5], Floats(x));
        x[TensorIndex.Tensor(tensor(new long[] { 1 }))] = zeros(1, 3);
        Assert.Equal([1f, 2, -1, 0, 0, 0], Floats(x));
        x[1] = tensor(new float[] { 7, 8, 9 });
        Assert.Equal([1f, 2, -1, 7, 8, 9], Floats(x));
    }

    [Fact]
    public void Raw_memory_is_readable_and_writable()
    {
        using var scope = NewDisposeScope();
        var x = zeros(3);
        MemoryMarshal.Cast<byte, float>(x.bytes)[1] = 4;
        Assert.Equal([0f, 4, 0], Floats(x));
        var accessor = x.data<float>();
        accessor[2] = 8;
        Assert.Equal(8, x[2].item<float>());
        var shared = new float[] { 1, 2, 3, 4 };
        var view = frombuffer(shared, float32, 2, 1);
        shared[1] = 9;
        Assert.Equal([9f, 3], Floats(view));
    }

    [Fact]
    public void Reading_as_another_type_is_an_argument_error()
    {
        using var scope = NewDisposeScope();
        var x = zeros(1);
        Assert.Throws<ArgumentException>(() => x.data<double>());
        Assert.Throws<ArgumentException>(() => zeros(2).item<float>());
        Assert.Throws<ArgumentException>(() => tensor(new float[] { 1 }, [2]));
    }

    [Fact]
    public void Half_precision_types_keep_what_they_can_hold()
    {
        using var scope = NewDisposeScope();
        float[] exact = [0, 1, -2.5f, 65280, 0.0078125f];
        Assert.Equal(exact, Floats(tensor(exact).to(bfloat16).to(float32)));
        Assert.Equal(1, tensor(1.001f).to(bfloat16).ToSingle());
        Assert.Equal(0x3f80, BitConverter.ToUInt16(tensor(1f).to(bfloat16).bytes));
        Assert.Equal([0f, 1, -2.5f], Floats(tensor(new float[] { 0, 1, -2.5f }).to(float16)));
        Assert.Equal(new BFloat16(1.5f), tensor(1.5f).to(bfloat16).item<BFloat16>());
        Assert.Equal([1, -128], tensor(new float[] { 1.9f, -128 }).to(int8).data<sbyte>().ToArray());
    }

    [Fact]
    public void Meta_tensors_have_shapes_and_no_memory()
    {
        using var scope = NewDisposeScope();
        long before = Environment.WorkingSet;
        var huge = empty(1_000_000, 1_000_000, device: META);
        var product = huge.matmul(huge);
        Assert.True(product.is_meta);
        Assert.Equal([1_000_000L, 1_000_000], product.shape);
        Assert.Equal(DeviceType.META, product.device.type);
        Assert.InRange(Environment.WorkingSet - before, long.MinValue, 1L << 28);
    }

    [Fact]
    public void An_error_of_libtorch_is_an_exception_with_a_readable_message()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<ExternalException>(() => ones(2, 3).add(ones(4, 5)));
        Assert.Contains("size of tensor", error.Message);
        Assert.Throws<ExternalException>(() => ones(2, 3).view(5));
        Assert.Throws<ExternalException>(() => ones(2).index_select(0, tensor(new long[] { 7 })));
    }

    [Fact]
    public void A_seed_repeats_the_random_numbers()
    {
        using var scope = NewDisposeScope();
        var first = rand(5, generator: new Generator(3));
        Assert.True(first.allclose(rand(5, generator: new Generator(3))));
        Assert.False(first.allclose(rand(5, generator: new Generator(4))));
        manual_seed(5);
        var second = randn(5);
        manual_seed(5);
        Assert.True(second.allclose(randn(5)));
        var drawn = multinomial(tensor(new float[] { 0, 1, 0 }), 4, replacement: true);
        Assert.Equal([1L, 1, 1, 1], Longs(drawn));
        Assert.Equal([0L, 1, 2, 3], Longs(randperm(4).sort().Values));
        Assert.All(Longs(randint(2, 5, [100])), value => Assert.InRange(value, 2, 4));
    }

    [Fact]
    public void Tensors_describe_themselves()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new float[] { 1, -2.5f, 3, 4 }, [2, 2]);
        Assert.Equal("[2x2], type = Float32, device = cpu", x.ToString());
        Assert.Equal("[2x2], type = Float32, device = cpu\n 1 -2.5\n 3    4\n", x.jlstr(newLine: "\n"));
        Assert.Equal("[[1, -2.5]\n [3, 4]]", x.npstr(newLine: "\n"));
        Assert.Equal("[2], type = Int64, device = cpu, value = long [] {1L, 2L}", tensor(new long[] { 1, 2 }).cstr());
    }
}
