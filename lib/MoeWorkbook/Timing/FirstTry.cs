using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>A small piece of a computation, timed before the whole is begun: milliseconds tell whether that would take minutes.</summary>
/// <param name="FlopsPerSecond">The piece's operations a second.</param>
internal readonly record struct FirstTry(double FlopsPerSecond)
{
    // Few rows wait for their weights. Many are seldom more than so many times as fast.
    private const double MostGain = 16;

    /// <summary>Times a piece: its second call.</summary>
    /// <param name="flops">Its operations.</param>
    /// <param name="action">The piece.</param>
    /// <param name="device">Where it is computed; null for the CPU.</param>
    public static FirstTry Of(double flops, Action action, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(action);
        action();
        ComputeDevice.Synchronize(device);
        var start = TimeProvider.System.GetTimestamp();
        action();
        ComputeDevice.Synchronize(device);
        return new(flops / TimeProvider.System.GetElapsedTime(start).TotalSeconds);
    }

    /// <summary>The time that a larger piece takes at least, taken that it gains as much as a large batch can.</summary>
    /// <param name="flops">Its operations.</param>
    public double LeastSeconds(double flops) => flops / (MostGain * FlopsPerSecond);
}
