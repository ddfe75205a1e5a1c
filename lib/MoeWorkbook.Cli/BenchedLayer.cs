using static TorchSharp.torch;

namespace MoeWorkbook.Cli;

/// <summary>The experts of a layer in one type of weights, and the ways in which they are run here: the fastest, the teaching loop, and as dense blocks on the
/// same storage.</summary>
/// <remarks>libtorch has no product with quantised weights, so there the loop runs on the same experts in bfloat16.</remarks>
internal sealed class BenchedLayer : IDisposable
{
    private readonly ExpertWeights _experts;
    private readonly QuantizedExpertWeights? _quantized;
    private readonly FastExperts _fast = new();
    private readonly LoopExperts _loop = new();

    public BenchedLayer(LayerShape shape, WeightType type, Device device)
    {
        Type = type;
        _experts = SyntheticWeights.Experts(shape.Experts, shape.Hidden, shape.IntermediateSize,
            type == WeightType.Float32 ? ScalarType.Float32 : ScalarType.BFloat16, device: device);
        if (!InPyTorch(type)) _quantized = QuantizedExpertWeights.Quantize(_experts, type);
    }

    /// <summary>The type of the weights.</summary>
    public WeightType Type { get; }

    /// <summary>Bytes that are read where a token visits one expert, scales included.</summary>
    public double BytesPerExpert =>
        (_quantized?.Bytes ?? (_experts.GateUp.numel() + _experts.Down.numel()) * _experts.GateUp.element_size()) / (double)_experts.ExpertCount;

    /// <summary>Whether PyTorch computes with weights of the type.</summary>
    public static bool InPyTorch(WeightType type) => type is WeightType.Float32 or WeightType.BFloat16;

    /// <summary>Random hidden states that fit the layer, <c>[tokens, hidden]</c>.</summary>
    public Tensor Hidden(int tokens)
    {
        using var scope = NewDisposeScope();
        return randn(tokens, _experts.HiddenSize, device: _experts.GateUp.device).to(_experts.GateUp.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>A matrix of weights for a dense product, <c>[hidden, columns]</c>: of the gate projection of the first expert.</summary>
    /// <param name="columns">The most columns.</param>
    /// <param name="type">The type.</param>
    public Tensor Gate(long columns, ScalarType type) =>
        _experts.GateUp.select(0, 0).narrow(0, 0, Math.Min(columns, _experts.IntermediateSize)).to(type).transpose(0, 1);

    public void Run(Tensor hidden, RoutingDecision routing) =>
        (_quantized is null ? _fast.Run(hidden, routing, _experts) : _fast.Run(hidden, routing, _quantized)).Dispose();

    public void RunLoop(Tensor hidden, RoutingDecision routing) => _loop.Run(hidden, routing, _experts).Dispose();

    /// <summary>The ways to compute the dense block that the first experts make: by the experts' own runner, and as matrix products where there are
    /// any.</summary>
    /// <param name="count">How many experts.</param>
    public IEnumerable<Action<Tensor, RoutingDecision>> Dense(int count)
    {
        var (byRunner, byProducts) = (new DenseBaseline(count, _fast), new DenseBaseline(count));
        if (_quantized is not null) return [(hidden, routing) => byRunner.Run(hidden, routing, _quantized).Dispose()];
        return [(hidden, routing) => byRunner.Run(hidden, routing, _experts).Dispose(),
            (hidden, routing) => byProducts.Run(hidden, routing, _experts).Dispose()];
    }

    public void Dispose()
    {
        _quantized?.Dispose();
        _experts.Dispose();
    }
}
