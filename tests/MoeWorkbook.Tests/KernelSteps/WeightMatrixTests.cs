namespace MoeWorkbook.Tests.KernelSteps;

/// <summary>The steps of chapter 11 compute what they say, on one core and on several.</summary>
public sealed class WeightMatrixTests
{
    private const int Rows = 132, Columns = 128; // three blocks of rows, the last one short

    public static TheoryData<string, double> Steps => new()
    {
        { nameof(ScalarMatrix), 1e-6 },
        { nameof(VectorMatrix), 1e-6 },
        { nameof(FourRowMatrix), 1e-6 },
        { nameof(BFloat16Matrix), 1.0 / 256 },
        { nameof(Int8Matrix), 1.0 / 127 },
        { nameof(Int4Matrix), 1.0 / 7 },
    };

    [Theory, MemberData(nameof(Steps))]
    public void A_step_multiplies_within_the_error_of_its_rounding(string step, double error)
    {
        var (weights, x) = (Random(Rows * Columns, 1), Random(Columns, 2));
        var matrix = Make(step, weights, Rows, Columns);
        var y = new float[Rows];
        matrix.Multiply(x, y);
        for (var row = 0; row < Rows; row++)
        {
            double right = 0, magnitude = 0;
            for (var i = 0; i < Columns; i++)
            {
                right += (double)weights[row * Columns + i] * x[i];
                magnitude += Math.Abs(x[i]);
            }

            // Every weight is at most 1 and moves by at most `error` of the largest in its row or group, rounded to the nearest by half of that.
            Assert.InRange(y[row] - right, -0.51 * error * magnitude - 1e-5, 0.51 * error * magnitude + 1e-5);
        }
    }

    [Theory, MemberData(nameof(Steps))]
    public void Several_cores_give_the_same_bits_as_one(string step, double _)
    {
        var x = Random(Columns, 2);
        var matrix = Make(step, Random(Rows * Columns, 1), Rows, Columns);
        float[] one = new float[Rows], several = new float[Rows];
        matrix.Multiply(x, one);
        matrix.Multiply(x, several, cores: 3);
        Assert.Equal(one, several);
    }

    [Theory]
    [InlineData(nameof(ScalarMatrix), 4 * 64 * 4)]
    [InlineData(nameof(BFloat16Matrix), 4 * 64 * 2)]
    [InlineData(nameof(Int8Matrix), 4 * 64 + 4 * 4)]
    [InlineData(nameof(Int4Matrix), 4 * 32 + 4 * 2 * 4)]
    public void Bytes_are_weights_and_scales(string step, long bytes) => Assert.Equal(bytes, Make(step, new float[4 * 64], 4, 64).Bytes);

    [Fact]
    public void A_matrix_of_zeros_stays_zero_in_every_type()
    {
        var y = new float[4];
        foreach (var row in Steps)
        {
            Make(row.Data.Item1, new float[4 * 64], 4, 64).Multiply(Random(64, 3), y);
            Assert.All(y, value => Assert.Equal(0, value));
        }
    }

    [Fact]
    public void An_expert_is_the_librarys_expert()
    {
        const int hidden = 64, ffn = 128;
        var (gate, up, down, x) = (Random(ffn * hidden, 1), Random(ffn * hidden, 2), Random(hidden * ffn, 3), Random(hidden, 4));
        var expert = new MatrixExpert(new VectorMatrix(gate, ffn, hidden), new VectorMatrix(up, ffn, hidden), new VectorMatrix(down, hidden, ffn));
        using var scope = TorchSharp.torch.NewDisposeScope();
        using var noGradient = TorchSharp.torch.no_grad();
        var feedForward = new ExpertWeights(1, hidden, ffn);
        feedForward.GateUp.copy_(TorchSharp.torch.tensor([.. gate, .. up]).view(1, 2 * ffn, hidden));
        feedForward.Down.copy_(TorchSharp.torch.tensor(down).view(1, hidden, ffn));
        var routing = SyntheticRouting.Decide(RoutingPattern.Uniform, 1, 1, 1);
        var right = new LoopExperts().Run(TorchSharp.torch.tensor(x).view(1, hidden), routing, feedForward).data<float>().ToArray();
        var given = expert.Forward(x);
        for (var i = 0; i < hidden; i++) Assert.Equal(right[i], given[i], 1e-4 * (1 + Math.Abs(right[i])));
        Assert.Equal(3L * hidden * ffn * 4, expert.Bytes);
    }

    [Fact]
    public void Sizes_that_do_not_fit_are_named()
    {
        Assert.Contains("multiple of 64; it is 60", Assert.Throws<ArgumentException>(() => new ScalarMatrix(new float[240], 4, 60)).Message, StringComparison.Ordinal);
        Assert.Contains("multiple of 4; it is 3", Assert.Throws<ArgumentException>(() => new ScalarMatrix(new float[192], 3, 64)).Message, StringComparison.Ordinal);
        Assert.Contains("[4, 64] has 256 weights; there are 255", Assert.Throws<ArgumentException>(() => new Int8Matrix(new float[255], 4, 64)).Message, StringComparison.Ordinal);
        var matrix = new ScalarMatrix(new float[256], 4, 64);
        Assert.Contains("64 columns; it has 63", Assert.Throws<ArgumentException>(() => matrix.Multiply(new float[63], new float[4])).Message, StringComparison.Ordinal);
        Assert.Contains("4 rows; it has 5", Assert.Throws<ArgumentException>(() => matrix.Multiply(new float[64], new float[5])).Message, StringComparison.Ordinal);
        Assert.Contains("[hidden, intermediate]", Assert.Throws<ArgumentException>(() => new MatrixExpert(matrix, matrix, matrix)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_steps_source_is_what_the_library_was_built_from()
    {
        var source = SourceCode.Of<ScalarMatrix>("MultiplyRows").ToString();
        Assert.StartsWith("[MethodImpl(MethodImplOptions.AggressiveOptimization)]\nprivate protected override void MultiplyRows(", source, StringComparison.Ordinal);
        Assert.EndsWith("\n}", source, StringComparison.Ordinal);
        Assert.Contains("sum += w[i] * x[i];", source, StringComparison.Ordinal);
        Assert.Contains("it carries those of", Assert.Throws<ArgumentException>(() => SourceCode.Of<string>("Length")).Message, StringComparison.Ordinal);
    }

    private static WeightMatrix Make(string step, float[] weights, int rows, int columns) => step switch
    {
        nameof(ScalarMatrix) => new ScalarMatrix(weights, rows, columns),
        nameof(VectorMatrix) => new VectorMatrix(weights, rows, columns),
        nameof(FourRowMatrix) => new FourRowMatrix(weights, rows, columns),
        nameof(BFloat16Matrix) => new BFloat16Matrix(weights, rows, columns),
        nameof(Int8Matrix) => new Int8Matrix(weights, rows, columns),
        nameof(Int4Matrix) => new Int4Matrix(weights, rows, columns),
        _ => throw new ArgumentOutOfRangeException(nameof(step), step, "no such step"),
    };

    private static float[] Random(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextSingle() - 1)];
    }
}
