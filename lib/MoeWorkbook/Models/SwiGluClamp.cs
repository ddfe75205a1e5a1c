namespace MoeWorkbook;

/// <summary>The constants of <see cref="FeedForwardKind.ClampedSwiGlu"/>: min(g, limit)·σ(slope·min(g, limit))·(clamp(v, −limit, limit) + 1).</summary>
/// <param name="Limit">The bound on the gate from above and on the value on both sides.</param>
/// <param name="Slope">The factor in the sigmoid; 1.702 makes x·σ(1.702·x) an approximation of GELU (Hendrycks &amp; Gimpel 2016).</param>
public sealed record SwiGluClamp(double Limit = 7, double Slope = 1.702);
