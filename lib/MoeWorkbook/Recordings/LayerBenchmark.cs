using System.Globalization;
using System.Text.Json.Serialization;

namespace MoeWorkbook;

/// <summary>A line of <c>./workbook bench moe-layer --json</c>: one Mixture-of-Experts layer at one number of tokens, and what was timed in the same
/// rounds.</summary>
public sealed record LayerBenchmark
{
    /// <summary>The type of the weights, as in bfloat16.</summary>
    public required string Dtype { get; init; }

    /// <summary>Size of the hidden states.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Inner size of one expert.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of experts E.</summary>
    public required int Experts { get; init; }

    /// <summary>Number of experts k of each token.</summary>
    public required int ExpertsPerToken { get; init; }

    /// <summary>Number of tokens.</summary>
    public required int Tokens { get; init; }

    /// <summary>How the tokens were spread over the experts: balanced or collapsed.</summary>
    public required string Routing { get; init; }

    /// <summary>Number of distinct experts that the tokens visit.</summary>
    public required int ExpertsTouched { get; init; }

    /// <summary>The layer's median time in milliseconds.</summary>
    public required double Milliseconds { get; init; }

    /// <summary>The lower end of its 95% interval.</summary>
    public required double MillisecondsLow { get; init; }

    /// <summary>The upper end of its 95% interval.</summary>
    public required double MillisecondsHigh { get; init; }

    /// <summary>The time that the roofline predicts.</summary>
    public required double PredictedMilliseconds { get; init; }

    /// <summary>The share of the read bandwidth of the same rounds that the layer's weights were read at.</summary>
    public required double BandwidthFraction { get; init; }

    /// <summary>The share of the rate of one large dense product, timed in the same rounds, in the type that is multiplied fastest: float32 for float32
    /// weights.</summary>
    public required double GemmFraction { get; init; }

    /// <summary>Time of the teaching loop, <see cref="LoopExperts"/>; null where it was left out.</summary>
    public double? LoopMilliseconds { get; init; }

    /// <summary>Time of the dense block with as many parameters in total; null where it was left out.</summary>
    public double? DenseTotalMilliseconds { get; init; }

    /// <summary>Time of the dense block with as many parameters as one token uses; null where it was left out.</summary>
    public double? DenseActiveMilliseconds { get; init; }

    /// <summary>Time of PyTorch's loop over the experts; null where there was no PyTorch.</summary>
    [JsonPropertyName("pytorch_milliseconds")]
    public double? PyTorchMilliseconds { get; init; }

    /// <summary>Time of all experts as grouped products in PyTorch; null where there was no PyTorch.</summary>
    [JsonPropertyName("pytorch_grouped_milliseconds")]
    public double? PyTorchGroupedMilliseconds { get; init; }

    /// <summary>The layer in words: what lines of one curve share.</summary>
    public string Layer => string.Create(CultureInfo.InvariantCulture, $"{Experts} experts of {HiddenSize:N0} × {IntermediateSize:N0}, top-{ExpertsPerToken}, {Dtype}, {Routing}");
}
