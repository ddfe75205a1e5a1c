using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Rotary position embedding: pair i of a query or key head at position p is turned by the angle p·θ^(−2i/d) (Su et al. 2021, eq. 34).</summary>
/// <remarks>It has no weights. Frequencies are computed in double precision on the host.</remarks>
public sealed class RotaryEmbedding
{
    private readonly RotaryConfig _config;
    private readonly double[] _frequencies;

    /// <summary>The rotary embedding of heads of one size.</summary>
    /// <param name="config">Base, rotated share, layout of the pairs, scaling.</param>
    /// <param name="headSize">Size of a query or key head.</param>
    /// <exception cref="ArgumentException">The base is not positive, or the rotated share of the head is not a positive even number of elements.</exception>
    /// <exception cref="NotSupportedException">The kind of scaling is not one of <c>default</c>, <c>linear</c>, <c>yarn</c>, <c>llama3</c>.</exception>
    public RotaryEmbedding(RotaryConfig config, int headSize)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(headSize);
        if (!(config.Base > 0)) throw new ArgumentException($"The rotary base is {config.Base}; it must be positive.", nameof(config));
        _config = config;
        HeadSize = headSize;
        RotatedSize = (int)(headSize * config.Fraction);
        if (RotatedSize < 2 || RotatedSize > headSize || RotatedSize % 2 != 0)
            throw new ArgumentException($"A share of {config.Fraction} of a head of {headSize} elements is {RotatedSize}; it must be an even number from 2 to {headSize}.", nameof(config));
        var unscaled = new double[RotatedSize / 2];
        for (var i = 0; i < unscaled.Length; i++) unscaled[i] = Math.Pow(config.Base, -2.0 * i / RotatedSize);
        (_frequencies, Magnitude) = config.Scaling is { } scaling ? Scaled(unscaled, scaling) : (unscaled, 1.0);
    }

    /// <summary>Size of a head.</summary>
    public int HeadSize { get; }

    /// <summary>How many elements at the start of a head are rotated.</summary>
    public int RotatedSize { get; }

    /// <summary>The angle per position of each pair, after scaling; radians.</summary>
    public IReadOnlyList<double> Frequencies => _frequencies;

    /// <summary>The factor on cosines and sines; 1 except with YaRN.</summary>
    public double Magnitude { get; }

    /// <summary>The factor on attention logits that DeepSeek adds to YaRN: (0.1·mscale_all_dim·ln(factor) + 1)²; 1 otherwise.</summary>
    public double LogitScale =>
        _config.Scaling is { MScaleAllDimensions: > 0 } scaling ? Math.Pow(YarnMagnitude(scaling.Factor, scaling.MScaleAllDimensions.Value), 2) : 1;

    /// <summary>The rotation of consecutive positions.</summary>
    /// <param name="start">The first position.</param>
    /// <param name="count">The number of positions.</param>
    /// <param name="device">Where to put the cosines and sines; null for the CPU.</param>
    /// <returns>Cosines and sines, <c>[count, rotated / 2]</c>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A position is negative.</exception>
    public Rotation At(long start, long count, Device? device = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var pairs = _frequencies.Length;
        var cosine = new float[checked((int)(count * pairs))];
        var sine = new float[cosine.Length];
        for (var i = 0; i < cosine.Length; i++)
        {
            var (sin, cos) = Math.SinCos((start + i / pairs) * _frequencies[i % pairs]);
            cosine[i] = (float)(cos * Magnitude);
            sine[i] = (float)(sin * Magnitude);
        }

        long[] shape = [count, pairs];
        return new(tensor(cosine, shape, device: device ?? CPU), tensor(sine, shape, device: device ?? CPU));
    }

    /// <summary>Turns every pair (a, b) of a head into (a·cos − b·sin, b·cos + a·sin); the rest of the head stays.</summary>
    /// <param name="heads"><c>[batch, heads, sequence, head size]</c>.</param>
    /// <param name="rotation">The rotation of each position of the sequence; see <see cref="At"/>.</param>
    /// <returns><c>[batch, heads, sequence, head size]</c>.</returns>
    /// <exception cref="ArgumentException">A shape, type or device does not fit.</exception>
    public Tensor Rotate(Tensor heads, Rotation rotation)
    {
        ArgumentNullException.ThrowIfNull(rotation);
        Expect.Shape(heads, nameof(heads), ("batch", -1), ("heads", -1), ("sequence", rotation.Cosine.shape[0]), ("head size", HeadSize));
        Expect.Floating(heads, nameof(heads));
        Expect.SameDevice(rotation.Cosine, nameof(rotation), heads, nameof(heads));
        using var scope = NewDisposeScope();
        var pairs = RotatedSize / 2;
        var rotated = heads.narrow(-1, 0, RotatedSize);
        var halves = _config.Interleaved
            ? rotated.unflatten(3, pairs, 2).unbind(-1) // pair i is elements 2i and 2i + 1
            : rotated.chunk(2, -1); // pair i is elements i and i + rotated / 2
        var (a, b) = (halves[0].Upcast(), halves[1].Upcast()); // each [batch, heads, sequence, pairs]
        var (cosine, sine) = rotation;
        var (first, second) = (a * cosine - b * sine, b * cosine + a * sine);
        var turned = _config.Interleaved ? stack([first, second], -1).flatten(-2, -1) : cat([first, second], -1);
        turned = turned.to(heads.dtype);
        if (RotatedSize < HeadSize) turned = cat([turned, heads.narrow(-1, RotatedSize, HeadSize - RotatedSize)], -1);
        return turned.MoveToOuterDisposeScope();
    }

    private (double[] Frequencies, double Magnitude) Scaled(double[] unscaled, RotaryScaling scaling) => scaling.Kind switch
    {
        "default" => (unscaled, 1),
        "linear" => (Array.ConvertAll(unscaled, frequency => frequency / scaling.Factor), 1),
        "llama3" => (Array.ConvertAll(unscaled, frequency => Llama3(frequency, scaling)), 1),
        "yarn" => (Yarn(unscaled, scaling), YarnMagnitude(scaling)),
        _ => throw new NotSupportedException($"The rotary scaling (rope_type) '{scaling.Kind}' is not supported; default, linear, yarn and llama3 are."),
    };

    /// <summary>Llama 3: wavelengths beyond the original context are stretched by the factor, those well inside it stay, those between are mixed.</summary>
    private static double Llama3(double frequency, RotaryScaling scaling)
    {
        var turns = OriginalPositions(scaling) * frequency / (2 * Math.PI); // over the original context
        var keep = (turns - scaling.LowFrequencyFactor) / (scaling.HighFrequencyFactor - scaling.LowFrequencyFactor);
        return frequency * (Math.Clamp(keep, 0, 1) + (1 - Math.Clamp(keep, 0, 1)) / scaling.Factor);
    }

    /// <summary>YaRN: between two bounds on the dimension, a linear ramp from unchanged to stretched frequencies (Peng et al. 2023, section 3.2).</summary>
    private double[] Yarn(double[] unscaled, RotaryScaling scaling)
    {
        var low = Dimension(scaling.BetaFast);
        var high = Dimension(scaling.BetaSlow);
        if (scaling.Truncate) (low, high) = (Math.Floor(low), Math.Ceiling(high));
        (low, high) = (Math.Max(low, 0), Math.Min(high, RotatedSize - 1));
        if (low == high) high += 0.001;
        return [.. unscaled.Select((frequency, i) =>
        {
            var stretch = Math.Clamp((i - low) / (high - low), 0, 1);
            return frequency * (1 - stretch + stretch / scaling.Factor);
        })];

        // The dimension whose pair turns this often over the original context.
        double Dimension(double turns) =>
            RotatedSize * Math.Log(OriginalPositions(scaling) / (turns * 2 * Math.PI)) / (2 * Math.Log(_config.Base));
    }

    private static double YarnMagnitude(RotaryScaling scaling)
    {
        if (scaling.AttentionFactor is { } given) return given;
        return scaling is { MScale: not (null or 0), MScaleAllDimensions: not (null or 0) }
            ? YarnMagnitude(scaling.Factor, scaling.MScale.Value) / YarnMagnitude(scaling.Factor, scaling.MScaleAllDimensions.Value)
            : YarnMagnitude(scaling.Factor, 1);
    }

    private static double YarnMagnitude(double factor, double scale) => factor <= 1 ? 1 : 0.1 * scale * Math.Log(factor) + 1;

    private static int OriginalPositions(RotaryScaling scaling) => scaling.OriginalMaxPositions
        ?? throw new NotSupportedException($"The rotary scaling '{scaling.Kind}' needs original_max_position_embeddings, the context length of pre-training.");
}
