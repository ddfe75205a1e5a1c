using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>The non-linear middle of a feed-forward block or expert.</summary>
public static class Activation
{
    /// <summary>What a block of this form computes between its projections.</summary>
    /// <param name="kind">The form of the block.</param>
    /// <param name="projected">The input projection, <c>[…, intermediate]</c>; in a gated block the gate and then the value, <c>[…,
    /// 2·intermediate]</c>.</param>
    /// <param name="clamp">The constants of clamped SwiGLU; null for gpt-oss's.</param>
    /// <returns><c>[…, intermediate]</c>.</returns>
    /// <exception cref="ArgumentException">A gated block's last dimension is odd.</exception>
    public static Tensor Apply(FeedForwardKind kind, Tensor projected, SwiGluClamp? clamp = null)
    {
        Expect.Floating(projected, nameof(projected));
        if (!kind.IsGated())
            return kind == FeedForwardKind.Relu ? projected.relu() : projected.gelu();
        if (projected.dim() == 0 || projected.shape[^1] % 2 != 0)
            throw new ArgumentException($"projected has shape [{string.Join(", ", projected.shape)}]; a gated block needs gate and value, […, 2·intermediate].", nameof(projected));
        using var scope = NewDisposeScope();
        var halves = projected.chunk(2, -1);
        return Gated(kind, gate: halves[0], value: halves[1], clamp).MoveToOuterDisposeScope();
    }

    /// <summary>The gated forms on separate gate and value.</summary>
    /// <param name="kind">A gated form.</param>
    /// <param name="gate"><c>[…, intermediate]</c>.</param>
    /// <param name="value"><c>[…, intermediate]</c>.</param>
    /// <param name="clamp">The constants of clamped SwiGLU; null for gpt-oss's.</param>
    /// <returns><c>[…, intermediate]</c>.</returns>
    /// <exception cref="ArgumentException">The shapes differ or the form is not gated.</exception>
    public static Tensor Gated(FeedForwardKind kind, Tensor gate, Tensor value, SwiGluClamp? clamp = null)
    {
        Expect.SameShape(gate, nameof(gate), value, nameof(value));
        using var scope = NewDisposeScope();
        return (kind switch
        {
            FeedForwardKind.SwiGlu => functional.silu(gate) * value,
            FeedForwardKind.GeGlu => gate.gelu() * value,
            FeedForwardKind.GeGluTanh => gate.gelu(TorchSharp.Modules.GELU.Approximate.tanh) * value,
            FeedForwardKind.ClampedSwiGlu => Clamped(gate, value, clamp ?? new()),
            _ => throw new ArgumentException($"{kind} is not a gated form.", nameof(kind)),
        }).MoveToOuterDisposeScope();
    }

    private static Tensor Clamped(Tensor gate, Tensor value, SwiGluClamp clamp)
    {
        gate = gate.clamp_max(clamp.Limit);
        value = value.clamp(-clamp.Limit, clamp.Limit);
        return gate * (gate * clamp.Slope).sigmoid() * (value + 1);
    }
}
