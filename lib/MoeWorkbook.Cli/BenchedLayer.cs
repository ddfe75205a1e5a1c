using static TorchSharp.torch;

namespace MoeWorkbook.Cli;

/// <summary>The experts of a layer in one type of weights, and the two ways in which they are run here.</summary>
internal sealed class BenchedLayer : IDisposable
{
    private readonly ExpertWeights _experts;
    private readonly SortedExperts _chosen = new();
    private readonly LoopExperts _loop = new();

    private BenchedLayer(WeightType type, ExpertWeights experts) => (Type, _experts) = (type, experts);

    /// <summary>The type of the weights.</summary>
    public WeightType Type { get; }

    /// <summary>Bytes that are read where a token visits one expert.</summary>
    public double BytesPerExpert => (double)(_experts.GateUp.numel() + _experts.Down.numel()) * _experts.GateUp.element_size() / _experts.ExpertCount;

    public static BenchedLayer Create(LayerShape shape, WeightType type) =>
        new(type, SyntheticWeights.Experts(shape.Experts, shape.Hidden, shape.FeedForward, InPyTorch(type)
            ? type == WeightType.Float32 ? ScalarType.Float32 : ScalarType.BFloat16
            : throw new CommandException($"{LayerRow.TypeName(type)} has no kernel yet.")));

    /// <summary>Whether PyTorch computes with weights of the type.</summary>
    public static bool InPyTorch(WeightType type) => type is WeightType.Float32 or WeightType.BFloat16;

    /// <summary>Random hidden states that fit the layer, <c>[tokens, hidden]</c>.</summary>
    public Tensor Hidden(int tokens)
    {
        using var scope = NewDisposeScope();
        return randn(tokens, _experts.HiddenSize).to(_experts.GateUp.dtype).MoveToOuterDisposeScope();
    }

    public void Run(Tensor hidden, RoutingDecision routing) => _chosen.Run(hidden, routing, _experts).Dispose();

    public void RunLoop(Tensor hidden, RoutingDecision routing) => _loop.Run(hidden, routing, _experts).Dispose();

    public void Dispose() => _experts.Dispose();
}
