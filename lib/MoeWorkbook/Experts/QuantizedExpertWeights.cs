using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The weights of all SwiGLU experts of a layer in 8 or 4 bits: the same experts in a half, or little more than a quarter, of bfloat16's
/// bytes.</summary>
/// <remarks>
/// <list type="bullet">
/// <item><see cref="WeightType.Int8"/>: w ≈ s·q, q in −127 … 127, with a float32 scale s for each row; no weight moves by more than max|row| / 254.</item>
/// <item><see cref="WeightType.Int4"/>: w ≈ s·q, q in −8 … 7, two a byte, with a bfloat16 scale s for each group of 32; no weight moves by more than about
/// max|group| / 8, and by half of that where it is not next to the largest.</item>
/// </list>
/// Rows are stored in blocks of 256 columns, in the order in which the kernel multiplies them, the last block filled up with zeros. For inference only, on the
/// CPU.
/// </remarks>
public sealed class QuantizedExpertWeights : IDisposable
{
    private QuantizedExpertWeights(WeightType type, int expertCount, int hiddenSize, int intermediateSize)
    {
        (Type, ExpertCount, HiddenSize, IntermediateSize) = (type, expertCount, hiddenSize, intermediateSize);
        GateUp = new(type, expertCount * 2L * intermediateSize, hiddenSize);
        Down = new(type, expertCount * (long)hiddenSize, intermediateSize);
    }

    /// <summary>The format: <see cref="WeightType.Int8"/> or <see cref="WeightType.Int4"/>.</summary>
    public WeightType Type { get; }

    /// <summary>Number of experts E.</summary>
    public int ExpertCount { get; }

    /// <summary>Size of the hidden states.</summary>
    public int HiddenSize { get; }

    /// <summary>Intermediate size of one expert.</summary>
    public int IntermediateSize { get; }

    /// <summary>Bytes that the weights and their scales take.</summary>
    public long Bytes => GateUp.ByteCount + Down.ByteCount;

    /// <summary>The input projections, gate before value: experts · 2·intermediate rows of hidden columns.</summary>
    internal QuantizedMatrix GateUp { get; }

    /// <summary>The output projections: experts · hidden rows of intermediate columns.</summary>
    internal QuantizedMatrix Down { get; }

    /// <summary>Quantises the experts of a layer, rounding each weight to the nearest.</summary>
    /// <param name="experts">SwiGLU experts without biases, in float32 or bfloat16, on the CPU.</param>
    /// <param name="type"><see cref="WeightType.Int8"/> or <see cref="WeightType.Int4"/>.</param>
    /// <exception cref="ArgumentException">The format is another, or the experts are of another kind, type or device.</exception>
    public static QuantizedExpertWeights Quantize(ExpertWeights experts, WeightType type)
    {
        ArgumentNullException.ThrowIfNull(experts);
        if (type is not (WeightType.Int8 or WeightType.Int4))
            throw new ArgumentException($"The format {type} is not one of {WeightType.Int8} and {WeightType.Int4}.", nameof(type));
        if (experts.Kind != FeedForwardKind.SwiGlu || experts.GateUpBias is not null)
            throw new ArgumentException($"Only SwiGlu experts without biases can be quantised; these are {experts.Kind}{(experts.GateUpBias is null ? "" : " with biases")}.", nameof(experts));
        if (experts.GateUp.dtype is not (ScalarType.Float32 or ScalarType.BFloat16))
            throw new ArgumentException($"Only experts in Float32 and BFloat16 can be quantised; these are {experts.GateUp.dtype}.", nameof(experts));
        if (!experts.GateUp.is_cpu())
            throw new ArgumentException($"Weights are quantised on the CPU, and these experts are on {experts.GateUp.device}: move them with to(CPU).", nameof(experts));
        var quantized = new QuantizedExpertWeights(type, experts.ExpertCount, experts.HiddenSize, experts.IntermediateSize);
        quantized.GateUp.Quantize(experts.GateUp);
        quantized.Down.Quantize(experts.Down);
        return quantized;
    }

    /// <summary>The experts that the quantised weights stand for.</summary>
    /// <param name="dataType">Float32 or bfloat16; null for float32.</param>
    /// <exception cref="ArgumentException">Another type is asked for.</exception>
    public ExpertWeights Dequantize(ScalarType? dataType = null)
    {
        if (dataType is not (null or ScalarType.Float32 or ScalarType.BFloat16))
            throw new ArgumentException($"Weights can be dequantised to Float32 and BFloat16, not to {dataType}.", nameof(dataType));
        var experts = new ExpertWeights(ExpertCount, HiddenSize, IntermediateSize, init: new(null, dataType) { LeaveUninitialized = true });
        GateUp.Dequantize(0, experts.GateUp);
        Down.Dequantize(0, experts.Down);
        return experts;
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        GateUp.Dispose();
        Down.Dispose();
    }
}
