using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace MoeWorkbook;

/// <summary>The order of 256 quantised numbers in memory: eight groups of 32, dealt out so that lane j of a register holds group j.</summary>
internal static class IntegerBlock
{
    /// <summary>Numbers that share a scale.</summary>
    public const int GroupSize = 32;

    /// <summary>Groups of a block: the 32-bit lanes of a register of 256 bits.</summary>
    public const int Groups = 8;

    /// <summary>Numbers of a block.</summary>
    public const int Size = GroupSize * Groups;

    /// <summary>Registers of bytes that a block fills; each holds four numbers of every group.</summary>
    public const int Steps = GroupSize / 4;

    /// <summary>Blocks of a row; the last is filled up with zeros.</summary>
    public static int Count(int columns) => (columns + Size - 1) / Size;

    /// <summary>The place in the block of a column within it.</summary>
    public static int Place(int column)
    {
        var (group, element) = Math.DivRem(column, GroupSize);
        return element / 4 * (4 * Groups) + group * 4 + element % 4;
    }
}

/// <summary>A block of activations: 256 signed bytes, then of each group the scale, and −z·Σ x to begin its sum with.</summary>
internal static unsafe class ActivationBlock
{
    public const int Bytes = ScalesAt + 2 * IntegerBlock.Groups * 4;

    private const int ScalesAt = IntegerBlock.Size, StartsAt = ScalesAt + IntegerBlock.Groups * 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<sbyte> Step(byte* block, int step) => Vector256.Load((sbyte*)block + step * 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Scales(byte* block) => Vector256.Load((float*)(block + ScalesAt));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Start(byte* block) => Vector256.Load((int*)(block + StartsAt));

    /// <summary>Rounds each group to multiples of max|x| / 127: no number moves by more than max|x| / 254.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Quantize(float* values, int count, int zeroPoint, byte* block)
    {
        var padded = stackalloc float[IntegerBlock.Size];
        if (count < IntegerBlock.Size)
        {
            var span = new Span<float>(padded, IntegerBlock.Size);
            new ReadOnlySpan<float>(values, count).CopyTo(span);
            span[count..].Clear();
            values = padded;
        }

        for (var group = 0; group < IntegerBlock.Groups; group++, values += IntegerBlock.GroupSize)
        {
            Vector256<float> a = Vector256.Load(values), b = Vector256.Load(values + 8), c = Vector256.Load(values + 16), d = Vector256.Load(values + 24);
            var largest = Vector256.Max(Vector256.Max(Vector256.Abs(a), Vector256.Abs(b)), Vector256.Max(Vector256.Abs(c), Vector256.Abs(d)));
            var max = 0f;
            for (var lane = 0; lane < 8; lane++) max = MathF.Max(max, largest[lane]);
            var inverse = max > 0 ? 127 / max : 0;
            Vector256<int> i = Rounded(a), j = Rounded(b), k = Rounded(c), l = Rounded(d);
            var bytes = Vector256.Narrow(Vector256.Narrow(i, j), Vector256.Narrow(k, l)).AsUInt32();
            for (var step = 0; step < IntegerBlock.Steps; step++) ((uint*)block)[step * IntegerBlock.Groups + group] = bytes[step];
            ((float*)(block + ScalesAt))[group] = max / 127;
            ((int*)(block + StartsAt))[group] = -zeroPoint * Vector256.Sum(i + j + k + l);

            Vector256<int> Rounded(Vector256<float> x) => Vector256.ConvertToInt32(Vector256.Round(x * inverse));
        }
    }
}
