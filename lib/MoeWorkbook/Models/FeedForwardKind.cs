namespace MoeWorkbook;

/// <summary>The form of a feed-forward block or expert.</summary>
public enum FeedForwardKind
{
    /// <summary>W_down(SiLU(W_gate·x) ⊙ W_up·x): three matrices (Shazeer 2020).</summary>
    SwiGlu,

    /// <summary>W_down(GELU(W_gate·x) ⊙ W_up·x): three matrices (Shazeer 2020).</summary>
    GeGlu,

    /// <summary>The same with GELU approximated by a hyperbolic tangent (Hendrycks &amp; Gimpel 2016): <c>gelu_pytorch_tanh</c>, and T5's and JAX's
    /// <c>gelu</c>.</summary>
    GeGluTanh,

    /// <summary>gpt-oss's SwiGLU: the gate is clamped from above, the value on both sides and raised by one, and SiLU's argument is scaled; see
    /// <see cref="SwiGluClamp"/>.</summary>
    ClampedSwiGlu,

    /// <summary>W_out·ReLU(W_in·x): two matrices (Vaswani et al. 2017).</summary>
    Relu,

    /// <summary>W_out·GELU(W_in·x): two matrices.</summary>
    Gelu,
}

/// <summary>What a form of feed-forward block implies.</summary>
public static class FeedForwardKinds
{
    /// <summary>Whether the block has a gate beside its input projection: three matrices instead of two.</summary>
    /// <param name="kind">The form of the block.</param>
    public static bool IsGated(this FeedForwardKind kind) =>
        kind is FeedForwardKind.SwiGlu or FeedForwardKind.GeGlu or FeedForwardKind.GeGluTanh or FeedForwardKind.ClampedSwiGlu;
}
