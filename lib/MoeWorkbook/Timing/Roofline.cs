namespace MoeWorkbook;

/// <summary>The roofline (Williams, Waterman &amp; Patterson 2009): nothing is faster than its bytes at full bandwidth, nor than its operations at full
/// rate.</summary>
/// <param name="BytesPerSecond">Read bandwidth of memory.</param>
/// <param name="FlopsPerSecond">Rate of a large matrix product.</param>
/// <param name="SecondsPerCall">Overhead of one call.</param>
public sealed record Roofline(double BytesPerSecond, double FlopsPerSecond, double SecondsPerCall = 0)
{
    /// <summary>The roofline of a probed machine for weights of a type.</summary>
    /// <param name="probe">The machine.</param>
    /// <param name="type">The type of the weights.</param>
    /// <exception cref="ArgumentException">The type was not probed.</exception>
    public static Roofline Of(MachineProbe probe, WeightType type)
    {
        ArgumentNullException.ThrowIfNull(probe);
        return new(probe.ReadBytesPerSecond, probe.GemmRate(type), probe.SecondsPerCall);
    }

    /// <summary>The arithmetic intensity, in operations a byte, at which both limits meet: below it a computation waits for memory.</summary>
    public double Ridge => FlopsPerSecond / BytesPerSecond;

    /// <summary>The highest rate that is possible at an arithmetic intensity.</summary>
    /// <param name="intensity">Operations a byte.</param>
    /// <returns>Operations a second.</returns>
    public double RateAt(double intensity) => Math.Min(FlopsPerSecond, intensity * BytesPerSecond);

    /// <summary>Predicts the time of a computation.</summary>
    /// <param name="work">What it moves and computes.</param>
    public Prediction Predict(Workload work)
    {
        double read = work.Bytes / BytesPerSecond, compute = work.Flops / FlopsPerSecond, calls = work.Calls * SecondsPerCall;
        return new(read, compute, calls, Math.Max(read, compute) + calls);
    }

    /// <summary>Predicts the time of computations one after another, such as <see cref="Workload.Model"/>: each waits for its own limit.</summary>
    /// <param name="parts">What each moves and computes.</param>
    public Prediction Predict(IEnumerable<Workload> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        return parts.Select(Predict).Aggregate(new Prediction(), (sum, part) =>
            new(sum.ReadSeconds + part.ReadSeconds, sum.ComputeSeconds + part.ComputeSeconds, sum.CallSeconds + part.CallSeconds, sum.Seconds + part.Seconds));
    }
}
