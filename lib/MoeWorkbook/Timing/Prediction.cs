namespace MoeWorkbook;

/// <summary>A predicted time, by what it is spent on.</summary>
/// <param name="ReadSeconds">Time to read the bytes at full bandwidth.</param>
/// <param name="ComputeSeconds">Time to compute the operations at full rate.</param>
/// <param name="Seconds">The prediction: part after part the longer of the two, and the overhead of the calls.</param>
/// <param name="CallSeconds">The overhead of the calls alone.</param>
public readonly record struct Prediction(double ReadSeconds, double ComputeSeconds, double CallSeconds, double Seconds)
{
    /// <summary>The same in milliseconds.</summary>
    public double Milliseconds => 1000 * Seconds;

    /// <summary>Which of the three is the largest.</summary>
    public RooflineBound Bound =>
        CallSeconds > Math.Max(ReadSeconds, ComputeSeconds) ? RooflineBound.Calls
        : ReadSeconds >= ComputeSeconds ? RooflineBound.Bandwidth : RooflineBound.Compute;
}
