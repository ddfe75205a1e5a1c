using MathNet.Numerics.Statistics;

namespace MoeWorkbook;

public static partial class Exercises
{
    /// <summary>Chapter 05: what reading bounds.</summary>
    public static Exercise<(double ActiveBillions, int BitsPerWeight, double GigabytesPerSecond), double> TokensPerSecond { get; } = new(
        "One sequence is decoded, and every active parameter is read once for each token. At most how many tokens a second are possible?",
        ["active parameters in billions", "bits per weight", "read bandwidth in GB/s"],
        random => (random.Next(1, 70), Pick(random, 4, 8, 16, 32), random.Next(20, 3000)),
        model => model.GigabytesPerSecond / (model.ActiveBillions * model.BitsPerWeight / 8));

    /// <summary>Chapter 05: the roofline.</summary>
    public static Exercise<(double Gigabytes, double Gigaflops, double GigabytesPerSecond, double GigaflopsPerSecond), (double Milliseconds, bool WaitsForMemory)> RooflineTime { get; } = new(
        "Predict the time of a computation from its bytes and operations, in milliseconds, and say whether it waits for memory.",
        ["GB read", "GFLOP", "GB/s", "GFLOP/s"],
        random => (random.Next(1, 100) / 10.0, random.Next(1, 5000), random.Next(20, 80), random.Next(100, 900)),
        work =>
        {
            double read = work.Gigabytes / work.GigabytesPerSecond, compute = work.Gigaflops / work.GigaflopsPerSecond;
            return (1000 * Math.Max(read, compute), read > compute);
        });

    /// <summary>Chapter 05: how the advantage fades.</summary>
    public static Exercise<(int Experts, int ExpertsPerToken, int Tokens), double> BytesAdvantage { get; } = new(
        "As long as reading bounds both: how many times as fast as the dense block of equal total parameters is a Mixture-of-Experts layer when B tokens choose uniformly?",
        ["experts E", "experts per token k", "tokens B"],
        random => (Pick(random, 8, 16, 64, 128), Pick(random, 1, 2, 4, 8), Pick(random, 1, 2, 4, 8, 32)),
        layer => layer.Experts / MoeWorkbook.ExpertsTouched.Expected(layer.Experts, layer.ExpertsPerToken, layer.Tokens));

    /// <summary>Chapter 05: when arithmetic takes over.</summary>
    public static Exercise<(double GigabytesPerSecond, double GigaflopsPerSecond, int BitsPerWeight, int Experts, int ExpertsPerToken), (int Dense, int Moe)> ComputeBoundFrom { get; } = new(
        "From how many tokens on does a dense block take at least as long for arithmetic as for reading its weights? And a Mixture-of-Experts layer with perfectly balanced routing, all experts touched? Each weight is read once and used for a multiplication and an addition per token that visits it.",
        ["GB/s", "GFLOP/s", "bits per weight", "experts E", "experts per token k"],
        random => (random.Next(20, 80), random.Next(100, 900), Pick(random, 8, 16, 32), Pick(random, 8, 64), Pick(random, 1, 2, 4)),
        machine =>
        {
            double tokens = machine.GigaflopsPerSecond / machine.GigabytesPerSecond * machine.BitsPerWeight / 8 / 2;
            return ((int)Math.Ceiling(tokens), (int)Math.Ceiling(tokens * machine.Experts / machine.ExpertsPerToken));
        });

    /// <summary>Chapter 05: a ratio that survives a noisy machine.</summary>
    public static Exercise<(double[] Slower, double[] Faster), double> PairedRatio { get; } = new(
        "Two alternatives were timed in the same rounds. Compute the median over the rounds of the ratio within each round.",
        ["times of one", "times of the other"],
        random =>
        {
            int rounds = Pick(random, 3, 5, 7);
            return (Draw(rounds), Draw(rounds));

            double[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => random.Next(10, 99) / 10.0)];
        },
        times => times.Slower.Zip(times.Faster, (slower, faster) => slower / faster).Median());
}
