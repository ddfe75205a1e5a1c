using MathNet.Numerics.Statistics;

namespace MoeWorkbook;

public static partial class Exercises
{
    /// <summary>Chapter 05: what reading bounds.</summary>
    public static Exercise<(double ActiveBillions, long BitsPerWeight, double GigabytesPerSecond), double> TokensPerSecond { get; } = new(
        "One sequence is decoded, and every active parameter is read once for each token. At most how many tokens a second are possible?",
        ["active parameters in billions", "bits per weight", "read bandwidth in GB/s"],
        random => (random.Next(1, 70), Pick(random, 4, 8, 16, 32), random.Next(20, 3000)),
        model => model.GigabytesPerSecond / (model.ActiveBillions * model.BitsPerWeight / 8),
        model => model.BitsPerWeight == 4);

    /// <summary>Chapter 05: the roofline.</summary>
    public static Exercise<(double Gigabytes, double Gigaflops, double GigabytesPerSecond, double GigaflopsPerSecond), (double Milliseconds,
        bool WaitsForMemory)> RooflineTime
    { get; } = new(
        "Predict the time of a computation from its bytes and operations, in milliseconds, and say whether it waits for memory.",
        ["GB read", "GFLOP", "GB/s", "GFLOP/s"],
        random => Until(() => (random.Next(1, 100) / 10.0, random.Next(1, random.Next(2, 5000)), random.Next(20, 80), random.Next(100, 900)),
            work => Seconds(work) is var (read, compute) && Apart(read, compute)),
        work =>
        {
            var (read, compute) = Seconds(work);
            return (1000 * Math.Max(read, compute), read > compute);
        },
        work => Seconds(work) is var (read, compute) && read > compute,
        work => Seconds(work) is var (read, compute) && read < compute);

    /// <summary>Chapter 05: how the advantage fades.</summary>
    public static Exercise<(long Experts, long ExpertsPerToken, long Tokens), double> BytesAdvantage { get; } = new(
        "As long as reading bounds both: how many times as fast as the dense block of equal total parameters is a Mixture-of-Experts layer when B tokens choose uniformly?",
        ["experts E", "experts per token k", "tokens B"],
        random => (Pick(random, 8, 16, 64, 128), Pick(random, 1, 2, 4, 8), Pick(random, 1, 2, 4, 8, 32)),
        layer => layer.Experts / MoeWorkbook.ExpertsTouched.Expected((int)layer.Experts, (int)layer.ExpertsPerToken, layer.Tokens),
        layer => layer.Tokens > 1 && layer.ExpertsPerToken < layer.Experts);

    /// <summary>Chapter 05: when arithmetic takes over.</summary>
    public static Exercise<(double GigabytesPerSecond, double GigaflopsPerSecond, long BitsPerWeight, long Experts, long ExpertsPerToken), (long Dense,
        long Moe)> ComputeBoundFrom
    { get; } = new(
        "From how many tokens on does a dense block take at least as long for arithmetic as for reading its weights? And a Mixture-of-Experts layer with perfectly balanced routing, all experts touched? Each weight is read once and used for a multiplication and an addition per token that visits it.",
        ["GB/s", "GFLOP/s", "bits per weight", "experts E", "experts per token k"],
        // A whole number of tokens only from powers of two, with which no order of operations rounds it up or down.
        random => Until(() =>
            {
                var powers = random.Next(4) == 0;
                (double, double, long, long, long) drawn =
                    (powers ? Pick(random, 16, 32, 64) : random.Next(20, 80), powers ? Pick(random, 128, 256, 512) : random.Next(100, 900),
                    Pick(random, 8, 16, 32), Pick(random, 8, 64), Pick(random, 1, 2, 4));
                return (Machine: drawn, powers);
            },
            drawn => TokensToRidge(drawn.Machine) is var (dense, moe) && (drawn.powers || (BetweenWholes(dense) && BetweenWholes(moe)))).Machine,
        machine =>
        {
            var (dense, moe) = TokensToRidge(machine);
            return ((long)Math.Ceiling(dense), (long)Math.Ceiling(moe));
        },
        machine => double.IsInteger(TokensToRidge(machine).Dense),
        machine => TokensToRidge(machine) is var (dense, moe) && Math.Ceiling(dense) * machine.Experts / machine.ExpertsPerToken > Math.Ceiling(moe));

    /// <summary>Chapter 05: a ratio that survives a noisy machine.</summary>
    public static Exercise<(double[] Slower, double[] Faster), double> PairedRatio { get; } = new(
        "Two alternatives were timed in the same rounds. Compute the median over the rounds of the ratio within each round.",
        ["times of one", "times of the other"],
        random =>
        {
            double[] faster = [.. Enumerable.Range(0, Pick(random, 3, 5, 7)).Select(_ => random.Next(10, 99) / 10.0)];
            return ([.. faster.Select(time => Math.Round(time * random.Next(11, 30) / 10.0, 1))], faster);
        },
        times => times.Slower.Zip(times.Faster, (slower, faster) => slower / faster).Median(),
        times => Apart(times.Slower.Zip(times.Faster, (slower, faster) => slower / faster).Median(), times.Slower.Median() / times.Faster.Median()),
        times =>
            Apart(times.Slower.Zip(times.Faster, (slower, faster) => slower / faster).Median(),
                times.Slower.Zip(times.Faster, (slower, faster) => slower / faster).Mean()));

    private static (double Read, double Compute) Seconds((double Gigabytes, double Gigaflops, double GigabytesPerSecond, double GigaflopsPerSecond) work) =>
        (work.Gigabytes / work.GigabytesPerSecond, work.Gigaflops / work.GigaflopsPerSecond);

    private static (double Dense,
        double Moe) TokensToRidge((double GigabytesPerSecond, double GigaflopsPerSecond, long BitsPerWeight, long Experts, long ExpertsPerToken) machine)
    {
        var dense = machine.GigaflopsPerSecond / machine.GigabytesPerSecond * machine.BitsPerWeight / 8 / 2;
        return (dense, dense * machine.Experts / machine.ExpertsPerToken);
    }

    private static bool BetweenWholes(double number) => Math.Abs(number - Math.Round(number)) > 0.01;
}
