using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MoeWorkbook;

/// <summary>The non-linear middle of a feed-forward block or expert.</summary>
public static class Activation
{
    /// <summary>Whether the block has a gate beside its input projection: three matrices instead of two.</summary>
    /// <param name="kind">The form of the block.</param>
    public static bool IsGated(FeedForwardKind kind) => kind is FeedForwardKind.SwiGlu or FeedForwardKind.GeGlu or FeedForwardKind.ClampedSwiGlu;

    /// <summary>What a block of this form computes between its projections.</summary>
    /// <param name="kind">The form of the block.</param>
    /// <param name="projected">The input projection, <c>[…, ffn]</c>; in a gated block the gate and then the value, <c>[…, 2·ffn]</c>.</param>
    /// <returns><c>[…, ffn]</c>.</returns>
    /// <exception cref="ArgumentException">A gated block's last dimension is odd.</exception>
    public static Tensor Apply(FeedForwardKind kind, Tensor projected)
    {
        Expect.Floating(projected, nameof(projected));
        if (!IsGated(kind))
            return kind == FeedForwardKind.Relu ? projected.relu() : projected.gelu();
        if (projected.dim() == 0 || projected.shape[^1] % 2 != 0)
            throw new ArgumentException($"projected has shape [{string.Join(", ", projected.shape)}]; a gated block needs gate and value, […, 2·ffn].", nameof(projected));
        using var scope = NewDisposeScope();
        var halves = projected.chunk(2, -1);
        return Gated(kind, gate: halves[0], value: halves[1]).MoveToOuterDisposeScope();
    }

    /// <summary>The gated forms on separate gate and value.</summary>
    /// <param name="kind">A gated form.</param>
    /// <param name="gate"><c>[…, ffn]</c>.</param>
    /// <param name="value"><c>[…, ffn]</c>.</param>
    /// <returns><c>[…, ffn]</c>.</returns>
    /// <exception cref="ArgumentException">The shapes differ or the form is not gated.</exception>
    public static Tensor Gated(FeedForwardKind kind, Tensor gate, Tensor value)
    {
        Expect.SameShape(gate, nameof(gate), value, nameof(value));
        using var scope = NewDisposeScope();
        return (kind switch
        {
            FeedForwardKind.SwiGlu => functional.silu(gate) * value,
            FeedForwardKind.GeGlu => gate.gelu() * value,
            FeedForwardKind.ClampedSwiGlu => Clamped(gate, value),
            _ => throw new ArgumentException($"{kind} is not a gated form.", nameof(kind)),
        }).MoveToOuterDisposeScope();
    }

    /// <summary>gpt-oss: the gate is bounded from above by 7 and the value on both sides; g·σ(1.702·g)·(v + 1).</summary>
    private static Tensor Clamped(Tensor gate, Tensor value)
    {
        const double limit = 7, slope = 1.702;
        gate = gate.clamp_max(limit);
        value = value.clamp(-limit, limit);
        return gate * (gate * slope).sigmoid() * (value + 1);
    }
}
