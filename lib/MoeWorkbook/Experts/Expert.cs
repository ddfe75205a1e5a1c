using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>One expert: a view of its slice of <see cref="ExpertWeights"/>.</summary>
/// <param name="Kind">The form of the feed-forward block.</param>
/// <param name="GateUp">The input projection, gate before value, <c>[2·intermediate, hidden]</c>.</param>
/// <param name="Down">The output projection, <c>[hidden, intermediate]</c>.</param>
/// <param name="GateUpBias"><c>[2·intermediate]</c> or null.</param>
/// <param name="DownBias"><c>[hidden]</c> or null.</param>
public sealed record Expert(FeedForwardKind Kind, Tensor GateUp, Tensor Down, Tensor? GateUpBias = null, Tensor? DownBias = null)
{
    /// <summary>The constants of clamped SwiGLU; null for gpt-oss's.</summary>
    public SwiGluClamp? Clamp { get; init; }

    /// <summary>Computes the expert: Down·act(GateUp·x).</summary>
    /// <param name="tokens"><c>[tokens, hidden]</c>.</param>
    /// <returns><c>[tokens, hidden]</c>.</returns>
    /// <exception cref="ArgumentException">The shape, type or device does not fit.</exception>
    public Tensor Forward(Tensor tokens)
    {
        Expect.Shape(tokens, nameof(tokens), ("tokens", -1), ("hidden", GateUp.shape[1]));
        Expect.Like(tokens, nameof(tokens), GateUp);
        using var scope = NewDisposeScope();
        var projected = MatrixProduct.Linear(tokens, GateUp, GateUpBias); // [tokens, 2·intermediate]
        return MatrixProduct.Linear(Activation.Apply(Kind, projected, Clamp), Down, DownBias).MoveToOuterDisposeScope();
    }
}
