namespace MoeWorkbook;

/// <summary>The kernels for one and the same result.</summary>
internal enum KernelKind
{
    /// <summary><see cref="RowKernel{TKernel}"/>: rows of weights with rows of activations.</summary>
    Rows,

    /// <summary><see cref="PanelKernel{TFormat,TLanes,TVector}"/>: rows of weights with panels of tokens; for float32 and bfloat16.</summary>
    Panels,

    /// <summary><see cref="LibtorchKernel"/>: libtorch's bfloat16 product.</summary>
    Libtorch,
}

/// <summary>Which kernel is the fastest.</summary>
internal static class KernelChoice
{
    /// <summary>The lowest of the crossovers: with as many tokens or fewer, rows are the fastest whatever the rest.</summary>
    public const int FewestCrossover = 4;

    // hidden · intermediate, below which starting libtorch's threads is what takes the time.
    private const long WorthLibtorch = 1 << 20;

    /// <summary>Up to how many tokens of a chosen expert, on average, rows are the fastest; and above how many blocks are, where libtorch's whole products come
    /// between.</summary>
    /// <remarks>
    /// <para>Each measured at hidden 4096, intermediate 14336, 8 experts, top-2 on two cores, in milliseconds for so many tokens an expert.</para>
    /// <para>AVX-512 with bfloat16: November 2026, libtorch 1.13; rows : panels (float32) or blocks through libtorch (: whole products).
    /// Float32: 160 : 201 for 4, 197 : 202 for 8, 295 : 221 for 16, 947 : 485 : 1320 for 64.
    /// Bfloat16: 122 : 163 : 126 for 8, 230 : 224 : 162 for 16, 312 : 211 : 198 for 24, 746 : 300 : 362 for 64.
    /// Int8: 71 : 113 for 16, 137 : 163 for 32, 269 : 267 for 64, 593 : 500 for 128. Int4: 84 : 135 for 16, 153 : 167 for 32, 308 : 274 for 64, 680 : 495 for
    /// 128.</para>
    /// <para>AVX-512 without: its rows and panels are the same; not measured on such a processor.</para>
    /// <para>AVX2 (Zen 3): December 2026, libtorch 2.10; rows : panels.
    /// Float32: 50 : 68 for 1, 215 : 230 for 4, 343 : 249 for 8, 639 : 363 for 16, 2433 : 1223 for 64.
    /// Bfloat16: 142 : 379 for 4, 256 : 349 for 8, 488 : 445 for 16, 2388 : 1397 for 64.
    /// Integers stay with rows: for 64 int8 takes 1164 and int4 843, so that weights made float32 for panels would gain nothing.</para>
    /// <para>Without: NEON, with as many registers as AVX-512, and processors with nothing; not measured.</para>
    /// </remarks>
    private static Crossovers Of(Instructions instructions) => instructions switch
    {
        { BFloat16Products: true } => new(Float32: 8, BFloat16: 8, Blocks: 28, Integers: 44),
        { VectorBits: 512 } => new(Float32: 8, BFloat16: 8),
        { VectorBits: 256 } => new(Float32: 4, BFloat16: 12),
        _ => new(Float32: 8, BFloat16: 8),
    };

    /// <summary>The fastest kernel.</summary>
    /// <param name="instructions">The processor's.</param>
    /// <param name="type">The type of the weights.</param>
    /// <param name="tokens">Tokens of a chosen expert, on average.</param>
    /// <param name="size">hidden · intermediate.</param>
    public static KernelKind For(Instructions instructions, WeightType type, double tokens, long size)
    {
        var crossovers = Of(instructions);
        var integer = type is WeightType.Int8 or WeightType.Int4;
        if (tokens <= (integer ? crossovers.Integers : type == WeightType.Float32 ? crossovers.Float32 : crossovers.BFloat16)) return KernelKind.Rows;
        if (type != WeightType.Float32 && size >= WorthLibtorch && instructions.BFloat16Products) return KernelKind.Libtorch;
        return integer ? KernelKind.Rows : KernelKind.Panels;
    }

    /// <summary>Whether whole products of libtorch, as <c>SortedExperts</c> computes them, are faster than every kernel: in bfloat16, where there are too many
    /// tokens for rows and too few for blocks.</summary>
    /// <param name="instructions">The processor's.</param>
    /// <param name="tokens">Tokens of a chosen expert, on average.</param>
    /// <param name="size">hidden · intermediate.</param>
    public static bool Sorts(Instructions instructions, double tokens, long size) =>
        tokens < Of(instructions).Blocks && For(instructions, WeightType.BFloat16, tokens, size) == KernelKind.Libtorch;

    private sealed record Crossovers(double Float32, double BFloat16, double Blocks = 0, double Integers = double.PositiveInfinity);
}
