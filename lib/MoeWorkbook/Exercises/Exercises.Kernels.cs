namespace MoeWorkbook;

public static partial class Exercises
{
    /// <summary>Chapter 11: why one sum is slow.</summary>
    public static Exercise<(long LatencyCycles, long PerCycle), long> IndependentSums { get; } = new(
        "A fused multiply-add can be started so many times in each cycle, and its result can be used so many cycles later. How many independent sums keep the unit busy?",
        ["latency in cycles", "started per cycle"],
        random => (random.Next(3, 7), random.Next(1, 3)),
        unit => unit.LatencyCycles * unit.PerCycle,
        unit => unit.PerCycle > 1);

    /// <summary>Chapter 11: bfloat16.</summary>
    public static Exercise<int, double> BFloat16ToFloat { get; } = new(
        "Turn the 16 bits of a bfloat16 number into the number.",
        ["the 16 bits as an integer"],
        random => (ushort)(BitConverter.SingleToInt32Bits((random.NextSingle() - 0.5f) * random.Next(1, 1000)) >> 16),
        bits => BitConverter.Int32BitsToSingle(bits << 16),
        bits => bits >> 15 == 1);

    /// <summary>Chapter 11: a byte a weight.</summary>
    public static Exercise<double[], (double Scale, int[] Quantized)> QuantizedRow { get; } = new(
        "Quantise a row of weights to integers from −127 to 127 with one scale: give the scale s and the integers q with w ≈ s·q, the largest magnitude becoming 127. No weight lies halfway between two integers.",
        ["weights"],
        random =>
        {
            var scale = random.Next(1, 9) / 100.0;
            double[] row = [.. Enumerable.Range(0, random.Next(3, 7)).Select(_ => scale * (random.Next(-126, 127) + random.Next(-4, 5) / 10.0))];
            row[random.Next(row.Length)] = scale * Pick(random, -127, 127);
            return row;
        },
        row =>
        {
            var scale = row.Max(Math.Abs) / 127;
            return (scale, [.. row.Select(w => (int)Math.Round(w / scale))]);
        },
        // The largest magnitude is that of a negative weight, that of a positive one, and not the first.
        row => -row.Min() > row.Max() * 1.1,
        row => row.Max() > -row.Min() * 1.1,
        row => row.Max(Math.Abs) > Math.Abs(row[0]) * 1.1);

    /// <summary>Chapter 11: what a group's scale costs.</summary>
    public static Exercise<(long Bits, long GroupSize, long ScaleBits), double> BitsOfAWeight { get; } = new(
        "How many bits does a weight take, its share of the scale of its group included?",
        ["bits of the integer", "weights in a group", "bits of a group's scale"],
        random => (Pick(random, 2, 3, 4, 8), Pick(random, 16, 32, 64, 128), Pick(random, 8, 16, 32)),
        format => format.Bits + (double)format.ScaleBits / format.GroupSize,
        format => format.ScaleBits < format.GroupSize);

    /// <summary>Chapter 11: reading or unpacking.</summary>
    public static Exercise<(long MillionWeights, long BitsPerWeight, long GigabytesPerSecond, long Cores, double Gigahertz,
        long WeightsPerCycle), (double Milliseconds, bool WaitsForMemory)> KernelLimit
    { get; } = new(
        "One token reads all weights once, all cores together at the given bandwidth, and each core unpacks and multiplies so many weights a cycle. At least how many milliseconds does it take, and does it wait for memory?",
        ["million weights", "bits per weight", "GB/s of all cores together", "cores", "GHz", "weights a core unpacks per cycle"],
        random =>
            Until(() => (random.Next(100, 500), Pick(random, 4, 8, 16, 32), random.Next(20, 90), Pick(random, 2, 4, 8),
                random.Next(20, 45) / 10.0, Pick(random, 1, 2, 4, 8)),
            kernel => Milliseconds(kernel) is var (read, unpack) && Apart(read, unpack)),
        kernel =>
        {
            var (read, unpack) = Milliseconds(kernel);
            return (Math.Max(read, unpack), read > unpack);
        },
        // It waits for memory, and whole gigabytes, or whole bytes of one weight, are not all there is to read.
        kernel => Milliseconds(kernel) is var (read, unpack) && read > unpack && kernel.MillionWeights * kernel.BitsPerWeight % 8000 != 0,
        kernel => Milliseconds(kernel) is var (read, unpack) && read > unpack && kernel.BitsPerWeight == 4,
        kernel => Milliseconds(kernel) is var (read, unpack) && read < unpack);

    private static (double Read, double Unpack) Milliseconds(
        (long MillionWeights, long BitsPerWeight, long GigabytesPerSecond, long Cores, double Gigahertz, long WeightsPerCycle) kernel) => (
        kernel.MillionWeights * kernel.BitsPerWeight / 8.0 / kernel.GigabytesPerSecond,
        kernel.MillionWeights / (kernel.Cores * kernel.Gigahertz * kernel.WeightsPerCycle));
}
