using System.Runtime.CompilerServices;

namespace MoeWorkbook;

/// <summary>The intermediate loop of a large batch: six rows of weights times one, two or four registers of tokens, added to what is there.</summary>
/// <remarks>A tile's sums stay in registers, 24 of AVX-512's and NEON's 32 and 12 of AVX2's 16. A step loads a register of each token group and one weight of
/// each row, and multiplies them all: 24 products for 10 loads.</remarks>
internal static unsafe class PanelTile
{
    /// <summary>Rows of a tile.</summary>
    public const int Rows = 6;

    /// <summary>Registers of the panel to make for so many tokens: 4 (2 where registers are few), 2 or 1.</summary>
    public static int Registers(int tokens, int width) =>
        tokens > 3 * width && width != 8 ? 4 : tokens > width ? 2 : 1;

    /// <summary>Adds to y, for each row, the sum over the columns of weight · x.</summary>
    /// <param name="weights">The first row.</param>
    /// <param name="stride">From row to row; 0 where all are the same.</param>
    /// <param name="x">The panel, <c>[count, registers]</c>.</param>
    /// <param name="y">The sums, <c>[6, registers]</c>.</param>
    /// <param name="yStride">From row to row; 0 where all are the same.</param>
    /// <param name="count">Columns.</param>
    /// <param name="registers">4, 2 or 1.</param>
    public static void Multiply<TLanes, TVector>(float* weights, nint stride, float* x, float* y, nint yStride, int count,
        int registers) where TLanes : IFloatLanes<TVector>
    {
        switch (registers)
        {
            case 4: Four<TLanes, TVector>(weights, stride, x, y, yStride, count); break;
            case 2: Two<TLanes, TVector>(weights, stride, x, y, yStride, count); break;
            default: One<TLanes, TVector>(weights, stride, x, y, yStride, count); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four<TLanes, TVector>(float* w0, nint stride, float* x, float* y, nint yStride, int count) where TLanes : IFloatLanes<TVector>
    {
        float* w1 = w0 + stride, w2 = w1 + stride, w3 = w2 + stride, w4 = w3 + stride, w5 = w4 + stride;
        float* y1 = y + yStride, y2 = y1 + yStride, y3 = y2 + yStride, y4 = y3 + yStride, y5 = y4 + yStride;
        TVector s00 = TLanes.Load(y), s01 = TLanes.Load(y + TLanes.Width), s02 = TLanes.Load(y + 2 * TLanes.Width), s03 = TLanes.Load(y + 3 * TLanes.Width);
        TVector s10 = TLanes.Load(y1), s11 = TLanes.Load(y1 + TLanes.Width), s12 = TLanes.Load(y1 + 2 * TLanes.Width), s13 = TLanes.Load(y1 + 3 * TLanes.Width);
        TVector s20 = TLanes.Load(y2), s21 = TLanes.Load(y2 + TLanes.Width), s22 = TLanes.Load(y2 + 2 * TLanes.Width), s23 = TLanes.Load(y2 + 3 * TLanes.Width);
        TVector s30 = TLanes.Load(y3), s31 = TLanes.Load(y3 + TLanes.Width), s32 = TLanes.Load(y3 + 2 * TLanes.Width), s33 = TLanes.Load(y3 + 3 * TLanes.Width);
        TVector s40 = TLanes.Load(y4), s41 = TLanes.Load(y4 + TLanes.Width), s42 = TLanes.Load(y4 + 2 * TLanes.Width), s43 = TLanes.Load(y4 + 3 * TLanes.Width);
        TVector s50 = TLanes.Load(y5), s51 = TLanes.Load(y5 + TLanes.Width), s52 = TLanes.Load(y5 + 2 * TLanes.Width), s53 = TLanes.Load(y5 + 3 * TLanes.Width);
        for (nint i = 0; i < count; i++, x += 4 * TLanes.Width)
        {
            TVector x0 = TLanes.Load(x), x1 = TLanes.Load(x + TLanes.Width), x2 = TLanes.Load(x + 2 * TLanes.Width), x3 = TLanes.Load(x + 3 * TLanes.Width);
            var w = TLanes.Broadcast(w0 + i);
            s00 = TLanes.MultiplyAdd(w, x0, s00);
            s01 = TLanes.MultiplyAdd(w, x1, s01);
            s02 = TLanes.MultiplyAdd(w, x2, s02);
            s03 = TLanes.MultiplyAdd(w, x3, s03);
            w = TLanes.Broadcast(w1 + i);
            s10 = TLanes.MultiplyAdd(w, x0, s10);
            s11 = TLanes.MultiplyAdd(w, x1, s11);
            s12 = TLanes.MultiplyAdd(w, x2, s12);
            s13 = TLanes.MultiplyAdd(w, x3, s13);
            w = TLanes.Broadcast(w2 + i);
            s20 = TLanes.MultiplyAdd(w, x0, s20);
            s21 = TLanes.MultiplyAdd(w, x1, s21);
            s22 = TLanes.MultiplyAdd(w, x2, s22);
            s23 = TLanes.MultiplyAdd(w, x3, s23);
            w = TLanes.Broadcast(w3 + i);
            s30 = TLanes.MultiplyAdd(w, x0, s30);
            s31 = TLanes.MultiplyAdd(w, x1, s31);
            s32 = TLanes.MultiplyAdd(w, x2, s32);
            s33 = TLanes.MultiplyAdd(w, x3, s33);
            w = TLanes.Broadcast(w4 + i);
            s40 = TLanes.MultiplyAdd(w, x0, s40);
            s41 = TLanes.MultiplyAdd(w, x1, s41);
            s42 = TLanes.MultiplyAdd(w, x2, s42);
            s43 = TLanes.MultiplyAdd(w, x3, s43);
            w = TLanes.Broadcast(w5 + i);
            s50 = TLanes.MultiplyAdd(w, x0, s50);
            s51 = TLanes.MultiplyAdd(w, x1, s51);
            s52 = TLanes.MultiplyAdd(w, x2, s52);
            s53 = TLanes.MultiplyAdd(w, x3, s53);
        }

        TLanes.Store(s00, y);
        TLanes.Store(s01, y + TLanes.Width);
        TLanes.Store(s02, y + 2 * TLanes.Width);
        TLanes.Store(s03, y + 3 * TLanes.Width);
        TLanes.Store(s10, y1);
        TLanes.Store(s11, y1 + TLanes.Width);
        TLanes.Store(s12, y1 + 2 * TLanes.Width);
        TLanes.Store(s13, y1 + 3 * TLanes.Width);
        TLanes.Store(s20, y2);
        TLanes.Store(s21, y2 + TLanes.Width);
        TLanes.Store(s22, y2 + 2 * TLanes.Width);
        TLanes.Store(s23, y2 + 3 * TLanes.Width);
        TLanes.Store(s30, y3);
        TLanes.Store(s31, y3 + TLanes.Width);
        TLanes.Store(s32, y3 + 2 * TLanes.Width);
        TLanes.Store(s33, y3 + 3 * TLanes.Width);
        TLanes.Store(s40, y4);
        TLanes.Store(s41, y4 + TLanes.Width);
        TLanes.Store(s42, y4 + 2 * TLanes.Width);
        TLanes.Store(s43, y4 + 3 * TLanes.Width);
        TLanes.Store(s50, y5);
        TLanes.Store(s51, y5 + TLanes.Width);
        TLanes.Store(s52, y5 + 2 * TLanes.Width);
        TLanes.Store(s53, y5 + 3 * TLanes.Width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Two<TLanes, TVector>(float* w0, nint stride, float* x, float* y, nint yStride, int count) where TLanes : IFloatLanes<TVector>
    {
        float* w1 = w0 + stride, w2 = w1 + stride, w3 = w2 + stride, w4 = w3 + stride, w5 = w4 + stride;
        float* y1 = y + yStride, y2 = y1 + yStride, y3 = y2 + yStride, y4 = y3 + yStride, y5 = y4 + yStride;
        TVector s00 = TLanes.Load(y), s01 = TLanes.Load(y + TLanes.Width);
        TVector s10 = TLanes.Load(y1), s11 = TLanes.Load(y1 + TLanes.Width);
        TVector s20 = TLanes.Load(y2), s21 = TLanes.Load(y2 + TLanes.Width);
        TVector s30 = TLanes.Load(y3), s31 = TLanes.Load(y3 + TLanes.Width);
        TVector s40 = TLanes.Load(y4), s41 = TLanes.Load(y4 + TLanes.Width);
        TVector s50 = TLanes.Load(y5), s51 = TLanes.Load(y5 + TLanes.Width);
        for (nint i = 0; i < count; i++, x += 2 * TLanes.Width)
        {
            TVector x0 = TLanes.Load(x), x1 = TLanes.Load(x + TLanes.Width);
            var w = TLanes.Broadcast(w0 + i);
            s00 = TLanes.MultiplyAdd(w, x0, s00);
            s01 = TLanes.MultiplyAdd(w, x1, s01);
            w = TLanes.Broadcast(w1 + i);
            s10 = TLanes.MultiplyAdd(w, x0, s10);
            s11 = TLanes.MultiplyAdd(w, x1, s11);
            w = TLanes.Broadcast(w2 + i);
            s20 = TLanes.MultiplyAdd(w, x0, s20);
            s21 = TLanes.MultiplyAdd(w, x1, s21);
            w = TLanes.Broadcast(w3 + i);
            s30 = TLanes.MultiplyAdd(w, x0, s30);
            s31 = TLanes.MultiplyAdd(w, x1, s31);
            w = TLanes.Broadcast(w4 + i);
            s40 = TLanes.MultiplyAdd(w, x0, s40);
            s41 = TLanes.MultiplyAdd(w, x1, s41);
            w = TLanes.Broadcast(w5 + i);
            s50 = TLanes.MultiplyAdd(w, x0, s50);
            s51 = TLanes.MultiplyAdd(w, x1, s51);
        }

        TLanes.Store(s00, y);
        TLanes.Store(s01, y + TLanes.Width);
        TLanes.Store(s10, y1);
        TLanes.Store(s11, y1 + TLanes.Width);
        TLanes.Store(s20, y2);
        TLanes.Store(s21, y2 + TLanes.Width);
        TLanes.Store(s30, y3);
        TLanes.Store(s31, y3 + TLanes.Width);
        TLanes.Store(s40, y4);
        TLanes.Store(s41, y4 + TLanes.Width);
        TLanes.Store(s50, y5);
        TLanes.Store(s51, y5 + TLanes.Width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void One<TLanes, TVector>(float* w0, nint stride, float* x, float* y, nint yStride, int count) where TLanes : IFloatLanes<TVector>
    {
        float* w1 = w0 + stride, w2 = w1 + stride, w3 = w2 + stride, w4 = w3 + stride, w5 = w4 + stride;
        float* y1 = y + yStride, y2 = y1 + yStride, y3 = y2 + yStride, y4 = y3 + yStride, y5 = y4 + yStride;
        var s00 = TLanes.Load(y);
        var s10 = TLanes.Load(y1);
        var s20 = TLanes.Load(y2);
        var s30 = TLanes.Load(y3);
        var s40 = TLanes.Load(y4);
        var s50 = TLanes.Load(y5);
        for (nint i = 0; i < count; i++, x += TLanes.Width)
        {
            var x0 = TLanes.Load(x);
            var w = TLanes.Broadcast(w0 + i);
            s00 = TLanes.MultiplyAdd(w, x0, s00);
            w = TLanes.Broadcast(w1 + i);
            s10 = TLanes.MultiplyAdd(w, x0, s10);
            w = TLanes.Broadcast(w2 + i);
            s20 = TLanes.MultiplyAdd(w, x0, s20);
            w = TLanes.Broadcast(w3 + i);
            s30 = TLanes.MultiplyAdd(w, x0, s30);
            w = TLanes.Broadcast(w4 + i);
            s40 = TLanes.MultiplyAdd(w, x0, s40);
            w = TLanes.Broadcast(w5 + i);
            s50 = TLanes.MultiplyAdd(w, x0, s50);
        }

        TLanes.Store(s00, y);
        TLanes.Store(s10, y1);
        TLanes.Store(s20, y2);
        TLanes.Store(s30, y3);
        TLanes.Store(s40, y4);
        TLanes.Store(s50, y5);
    }
}
