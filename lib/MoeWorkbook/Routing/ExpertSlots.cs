using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>The place of each assignment in its expert's queue.</summary>
internal static class ExpertSlots
{
    /// <summary>For each assignment, how many earlier ones in the list have the same expert.</summary>
    /// <param name="experts">The expert of each assignment, <c>[assignments]</c>.</param>
    /// <param name="expertCount">Number of experts.</param>
    /// <returns>Places from 0, <c>[assignments]</c>.</returns>
    public static Tensor Of(Tensor experts, long expertCount)
    {
        using var scope = NewDisposeScope();
        var (sorted, order) = experts.sort(0, stable: true); // both [assignments]
        var counts = zeros(expertCount, dtype: ScalarType.Int64, device: experts.device).index_add(0, experts, ones_like(experts), 1); // [experts]
        var starts = counts.cumsum(0) - counts; // [experts], where each expert's queue begins in the sorted list
        var places = arange(experts.numel(), ScalarType.Int64, experts.device) - starts.index_select(0, sorted); // [assignments], in sorted order
        return zeros_like(experts).scatter(0, order, places).MoveToOuterDisposeScope();
    }
}
