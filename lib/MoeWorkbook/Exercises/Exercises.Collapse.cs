namespace MoeWorkbook;

public static partial class Exercises
{
    /// <summary>Chapter 06: the loop that feeds itself.</summary>
    public static Exercise<(double[] Logits, int Chosen), double[]> TopOneGradient { get; } = new(
        "A router's softmax has chosen an expert. What is the derivative of the chosen expert's probability with respect to each logit?",
        ["router logits", "chosen expert"],
        random =>
        {
            double[] logits = [.. Enumerable.Range(0, random.Next(3, 6)).Select(_ => random.Next(-20, 21) / 10.0)];
            return (logits, Array.IndexOf(logits, logits.Max()));
        },
        router =>
        {
            double sum = router.Logits.Sum(Math.Exp), chosen = Math.Exp(router.Logits[router.Chosen]) / sum;
            return [.. router.Logits.Select((logit, j) => chosen * ((j == router.Chosen ? 1 : 0) - Math.Exp(logit) / sum))];
        });

    /// <summary>Chapter 06: how many experts a load amounts to.</summary>
    public static Exercise<long[], double> EffectiveExperts { get; } = new(
        "How many effective experts has a layer with this load: the exponential of the entropy of the shares?",
        ["load of each expert"],
        random => [random.Next(1, 100), .. Enumerable.Range(0, random.Next(3, 7)).Select(_ => (long)Math.Max(0, random.Next(-30, 100)))],
        load => LoadStatistics.Of(load).EffectiveExperts,
        load => load.Contains(0) && load.Distinct().Count() > 2);

    /// <summary>Chapter 06: what collapse drops.</summary>
    public static Exercise<(long[] Load, double CapacityFactor), double> DroppedAtCapacity { get; } = new(
        "Each of E experts has room for ⌈c·n/E⌉ of the n assignments, with the capacity factor c. Which share of the assignments is dropped?",
        ["load of each expert", "capacity factor c"],
        random =>
            ([random.Next(50, 200), .. Enumerable.Range(0, Pick(random, 3, 7)).Select(_ => (long)random.Next(0, 60))],
                Pick(random, 1, 5, 6) switch { 1 => 1.0, 5 => 1.25, _ => 1.5 }),
        layer =>
        {
            var room = new ExpertCapacity(layer.CapacityFactor).PerExpert(layer.Load.Sum(), layer.Load.Length);
            return layer.Load.Sum(load => Math.Max(0, load - room)) / (double)layer.Load.Sum();
        },
        // The even share rounded down, or the room rounded down, leads to another number.
        layer => layer.CapacityFactor > 1 && Math.Ceiling(layer.CapacityFactor * layer.Load.Sum() / layer.Load.Length)
            != Math.Ceiling(layer.CapacityFactor * (layer.Load.Sum() / layer.Load.Length)),
        layer => !double.IsInteger(layer.CapacityFactor * layer.Load.Sum() / layer.Load.Length));

    /// <summary>Chapter 06: what collapse costs in time.</summary>
    public static Exercise<(long[] Load, int Devices), double> SlowestDevice { get; } = new(
        "Experts lie in order on devices, equally many on each, and a device's time is the number of its assignments. How many times as long as with an even load does the layer take?",
        ["load of each expert", "devices"],
        random =>
        {
            int devices = Pick(random, 2, 4), each = random.Next(1, 4);
            return ([.. Enumerable.Range(0, devices * each).Select(_ => (long)random.Next(1, 100))], devices);
        },
        layer => SlowestOf(layer.Load.Chunk(layer.Load.Length / layer.Devices)) * layer.Devices / (double)layer.Load.Sum(),
        // Dealing experts out in turn, or in groups of as many as there are devices, leads to another time.
        layer => SlowestOf(layer.Load.Chunk(layer.Load.Length / layer.Devices)) is var right && layer.Load.Length > layer.Devices
            && right != SlowestOf(layer.Load.Index().GroupBy(expert => expert.Index % layer.Devices, expert => expert.Item))
                && right != SlowestOf(layer.Load.Chunk(layer.Devices)));

    private static long SlowestOf(IEnumerable<IEnumerable<long>> devices) => devices.Max(loads => loads.Sum());
}
