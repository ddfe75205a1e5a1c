using System.Globalization;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>What this machine can do at best: the limits that times are judged by.</summary>
/// <param name="ReadBytesPerSecond">Read bandwidth of the device's memory, on the CPU with all cores: the median of the fastest way of reading.</param>
/// <param name="ReadKernel">The way of reading that was fastest.</param>
/// <param name="GemmFlopsPerSecond">Operations a second of a matrix product, by type of its numbers: the best of
/// <see cref="MachineProbeOptions.GemmShapes"/>.</param>
/// <param name="SecondsPerCall">Time of a call of libtorch that computes next to nothing.</param>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed record MachineProbe(
    double ReadBytesPerSecond, string ReadKernel, IReadOnlyDictionary<ScalarType, double> GemmFlopsPerSecond, double SecondsPerCall) : INotebookDisplay
{
    // A product of so few numbers takes milliseconds, and where each takes nanoseconds a tenth of a second.
    private const long TriedRows = 4, TriedColumns = 512;

    // Seconds: what would take longer is not waited for.
    private const double LongestProduct = 2;

    private static readonly Lazy<MachineProbe> _current = new(() => Run());

    /// <summary>What was hopeless in a first small try and is left out, a sentence each.</summary>
    public IReadOnlyList<string> LeftOut { get; init; } = [];

    /// <summary>This machine's CPU, probed at the first use: a few seconds, and 1.3 GiB of memory meanwhile.</summary>
    public static MachineProbe Current => _current.Value;

    /// <summary>Probes this machine, or a GPU in it.</summary>
    /// <param name="options">What to try; null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static MachineProbe Run(MachineProbeOptions? options = null)
    {
        options ??= new();
        options.Validate();
        using var noGradient = no_grad();
        using var memory = new ReadBandwidth(options.ReadBytes, options.ReadRounds, options.Device);
        var leftOut = new List<string>();
        var gemm = options.GemmTypes.ToDictionary(type => type, type => GemmRate(type, options, leftOut));
        return new(memory.BytesPerSecond, memory.Kernel, gemm, CallTime(options.Device ?? CPU)) { LeftOut = leftOut };
    }

    /// <summary>The rate of a product whose weights are of a type. Bfloat16 weights can be widened, and quantised weights have no product of their own in
    /// libtorch: both are held against the fastest type.</summary>
    /// <param name="type">The type of the weights.</param>
    /// <exception cref="ArgumentException">The type was not probed.</exception>
    public double GemmRate(WeightType type) => type switch
    {
        WeightType.Float32 => Probed(ScalarType.Float32),
        WeightType.BFloat16 or WeightType.Int8 or WeightType.Int4 => GemmFlopsPerSecond.Values.Max(),
        _ => throw new ArgumentException($"{type} is not probed.", nameof(type)),
    };

    /// <inheritdoc />
    public string ToHtml() => ToTable().ToHtml();

    /// <summary>The limits as a table.</summary>
    public override string ToString() => ToTable().ToString();

    private Table ToTable() => new(
        [Column.Text("this machine at its best"), new(""), Column.Text("")],
        [
            ["reading memory", Number(ReadBytesPerSecond / 1e9), $"GB/s ({ReadKernel})"],
            .. GemmFlopsPerSecond.Select(rate => new[] { $"matrix product, {TypeName(rate.Key)}", Number(rate.Value / 1e9), "GFLOP/s" }),
            ["a call that computes nothing", Number(SecondsPerCall * 1e6), "µs"],
        ],
        LeftOut.Count == 0 ? null : string.Join(' ', LeftOut));

    /// <summary>The name of a type in tables and JSON, as in float32.</summary>
    public static string TypeName(ScalarType type) => type.ToString().ToLowerInvariant();

    private double Probed(ScalarType type) => GemmFlopsPerSecond.TryGetValue(type, out var rate)
        ? rate
        : throw new ArgumentException($"No product of {type} was probed; there are {string.Join(", ", GemmFlopsPerSecond.Keys)}.", nameof(type));

    // A probe is a limit of the moment: three digits say all of it.
    private static string Number(double value) => value.ToString(value >= 100 ? "N0" : value >= 10 ? "N1" : "N2", CultureInfo.InvariantCulture);

    private static double GemmRate(ScalarType type, MachineProbeOptions options, List<string> leftOut)
    {
        double best = 0;
        var hopeless = new Dictionary<string, double>(); // the best rate of each layout that is left out
        foreach (var (rows, inner, columns) in options.GemmShapes)
        {
            using var scope = NewDisposeScope();
            var left = full(rows, inner, 0.01, dtype: type, device: options.Device ?? CPU);
            // The two layouts that a weight may have; which is faster depends on the library below.
            var weight = full(columns, inner, 0.01, dtype: type, device: options.Device ?? CPU);
            foreach (var (layout, right) in new[] { ("[output, input]", weight.transpose(0, 1)), ("[input, output]", weight.view(inner, columns)) })
            {
                var (few, part) = (left.narrow(0, 0, Math.Min(TriedRows, rows)), right.narrow(1, 0, Math.Min(TriedColumns, columns)));
                var tried = FirstTry.Of(Flops(few, part), () => few.matmul(part).Dispose(), options.Device);
                if (tried.LeastSeconds(Flops(left, right)) > LongestProduct)
                {
                    hopeless[layout] = Math.Max(hopeless.GetValueOrDefault(layout), tried.FlopsPerSecond);
                    best = Math.Max(best, tried.FlopsPerSecond);
                    continue;
                }

                // Where all rows would take long, an eighth of them tells the rate.
                var rate = Rate(left.narrow(0, 0, Math.Max(1, rows / 8)), right);
                best = Math.Max(best, Flops(left, right) / rate > LongestProduct ? rate : Math.Max(rate, Rate(left, right)));
            }
        }

        leftOut.AddRange(hopeless.Select(layout => $"Products of {TypeName(type)} with weights as {layout.Key} run at {Number(layout.Value / 1e9)} GFLOP/s here: left out."));
        return best;

        double Rate(Tensor left, Tensor right)
        {
            var product = Measurement.Of("product", () => left.matmul(right).Dispose(),
                new()
                {
                    Device = options.Device,
                    Rounds = options.GemmRounds,
                    FewestRounds = Math.Min(2, options.GemmRounds),
                    Limit = TimeSpan.FromSeconds(1)
                });
            return Flops(left, right) / product.Samples.Min();
        }

        static double Flops(Tensor left, Tensor right) => 2.0 * left.shape[0] * right.numel();
    }

    private static double CallTime(Device device)
    {
        using var scope = NewDisposeScope();
        var small = ones(16, device: device);
        return Measurement.Of("call", () => (small + small).Dispose(), new() { Device = device, Limit = TimeSpan.FromMilliseconds(200) }).Seconds.Value;
    }
}
