using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>The weights of all experts of a layer, stacked: each expert is a feed-forward block y = Down·act(GateUp·x).</summary>
/// <remarks>Stacked, because a batched product over all experts then copies nothing. <see cref="Unbind"/> gives the experts one by one.</remarks>
public sealed class ExpertWeights : Module<Tensor, Tensor>
{
    private readonly bool _bias;

    /// <summary>The experts of one layer.</summary>
    /// <param name="expertCount">Number of experts E.</param>
    /// <param name="hiddenSize">Size of the hidden states.</param>
    /// <param name="intermediateSize">Intermediate size of one expert.</param>
    /// <param name="kind">The form of each expert.</param>
    /// <param name="bias">Whether the projections have biases (gpt-oss).</param>
    /// <param name="init">How the parameters are made.</param>
    /// <param name="clamp">The constants of clamped SwiGLU; null for gpt-oss's.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public ExpertWeights(int expertCount, int hiddenSize, int intermediateSize, FeedForwardKind kind = FeedForwardKind.SwiGlu, bool bias = false,
        ParameterInit? init = null, SwiGluClamp? clamp = null)
        : base(nameof(ExpertWeights))
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(expertCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(hiddenSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(intermediateSize);
        init ??= new();
        (ExpertCount, HiddenSize, IntermediateSize, Kind, Clamp, _bias) = (expertCount, hiddenSize, intermediateSize, kind, clamp, bias);
        var projectedSize = checked(intermediateSize * (kind.IsGated() ? 2 : 1));
        register_parameter("gate_up_proj", init.Normal(expertCount, projectedSize, hiddenSize));
        register_parameter("down_proj", init.ForResidual.Normal(expertCount, hiddenSize, intermediateSize));
        if (!bias) return;
        register_parameter("gate_up_proj_bias", init.Constant(0, expertCount, projectedSize));
        register_parameter("down_proj_bias", init.Constant(0, expertCount, hiddenSize));
    }

    /// <summary>Number of experts E.</summary>
    public int ExpertCount { get; }

    /// <summary>Size of the hidden states.</summary>
    public int HiddenSize { get; }

    /// <summary>Intermediate size of one expert.</summary>
    public int IntermediateSize { get; }

    /// <summary>The form of each expert.</summary>
    public FeedForwardKind Kind { get; }

    /// <summary>The constants of clamped SwiGLU; null for gpt-oss's.</summary>
    public SwiGluClamp? Clamp { get; }

    /// <summary>The input projections, gate before value, <c>[experts, 2·intermediate, hidden]</c>; <c>[experts, intermediate, hidden]</c> where the experts
    /// have no gate.</summary>
    public Tensor GateUp => get_parameter("gate_up_proj")!;

    /// <summary>The output projections, <c>[experts, hidden, intermediate]</c>.</summary>
    public Tensor Down => get_parameter("down_proj")!;

    /// <summary>The biases of the input projections, <c>[experts, 2·intermediate]</c>; null where there are none.</summary>
    public Tensor? GateUpBias => _bias ? get_parameter("gate_up_proj_bias") : null;

    /// <summary>The biases of the output projections, <c>[experts, hidden]</c>; null where there are none.</summary>
    public Tensor? DownBias => _bias ? get_parameter("down_proj_bias") : null;

    /// <summary>The experts one by one, as views. Once a forward pass: indexing a stacked parameter expert by expert would make a gradient of full size for
    /// each.</summary>
    public Expert[] Unbind()
    {
        var (gateUps, downs, gateUpBiases, downBiases) = (GateUp.unbind(), Down.unbind(), GateUpBias?.unbind(), DownBias?.unbind());
        var experts = new Expert[ExpertCount];
        for (var e = 0; e < experts.Length; e++) experts[e] = new(Kind, gateUps[e], downs[e], gateUpBiases?[e], downBiases?[e]) { Clamp = Clamp };
        return experts;
    }

    /// <summary>All experts at once, each on as many rows, as two batched products.</summary>
    /// <param name="input">The rows of each expert, <c>[experts, rows, hidden]</c>.</param>
    /// <returns><c>[experts, rows, hidden]</c>.</returns>
    /// <exception cref="ArgumentException">The shape, type or device does not fit.</exception>
    public override Tensor forward(Tensor input)
    {
        Expect.Shape(input, nameof(input), ("experts", ExpertCount), ("rows", -1), ("hidden", HiddenSize));
        Expect.Like(input, nameof(input), GateUp);
        return Products(input, GateUp, Down, GateUpBias, DownBias);
    }

    /// <summary>Chosen experts at once, from a copy of their weights.</summary>
    /// <param name="input">The rows of each, <c>[chosen, rows, hidden]</c>.</param>
    /// <param name="chosen">Their numbers, <c>[chosen]</c>; one may occur more than once.</param>
    /// <returns><c>[chosen, rows, hidden]</c>.</returns>
    internal Tensor ForwardChosen(Tensor input, Tensor chosen)
    {
        using var scope = NewDisposeScope();
        return Products(input, GateUp.index_select(0, chosen), Down.index_select(0, chosen),
            GateUpBias?.index_select(0, chosen), DownBias?.index_select(0, chosen))
            .MoveToOuterDisposeScope();
    }

    private Tensor Products(Tensor input, Tensor gateUp, Tensor down, Tensor? gateUpBias, Tensor? downBias)
    {
        using var scope = NewDisposeScope();
        var projected = MatrixProduct.Batched(input, gateUp); // [experts, rows, 2·intermediate]
        if (gateUpBias is not null) projected += gateUpBias.unsqueeze(1);
        var output = MatrixProduct.Batched(Activation.Apply(Kind, projected, Clamp), down); // [experts, rows, hidden]
        if (downBias is not null) output += downBias.unsqueeze(1);
        return output.MoveToOuterDisposeScope();
    }
}
