namespace MoeWorkbook;

/// <summary>The times of one alternative.</summary>
/// <param name="Name">What was timed.</param>
/// <param name="Samples">Seconds of one call in each round, in the order of the rounds.</param>
/// <param name="Seconds">Their median with its interval; <see cref="IntervalName"/> says which.</param>
public sealed record Measurement(string Name, IReadOnlyList<double> Samples, Estimate Seconds)
{
    /// <summary>The median in milliseconds.</summary>
    public Estimate Milliseconds => Seconds.Times(1000);

    /// <summary>What the interval of the time is, with its unit: of fewer than six rounds their range (<see cref="Estimate.Median"/>).</summary>
    public string IntervalName => Samples.Count < 6 ? $"range of {Samples.Count} rounds" : $"95% interval, {Samples.Count} rounds";

    /// <summary>Times one action on its own.</summary>
    /// <param name="name">What is timed.</param>
    /// <param name="action">The action.</param>
    /// <param name="options">How to measure; null for the defaults.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static Measurement Of(string name, Action action, MeasurementOptions? options = null) => Compare(options ?? new(), (name, action))[name];

    /// <summary>Times alternatives against each other with the default options.</summary>
    /// <param name="alternatives">Name and action of each; the first is what the others are compared with.</param>
    /// <exception cref="ArgumentException">There is no alternative, or two have one name.</exception>
    public static Comparison Compare(params (string Name, Action Action)[] alternatives) => Compare(new(), alternatives);

    /// <summary>Times alternatives against each other: after a warm-up, rounds in which each has its turn, in an order drawn anew, so that a machine that slows
    /// down slows them all.</summary>
    /// <param name="options">How to measure.</param>
    /// <param name="alternatives">Name and action of each; the first is what the others are compared with.</param>
    /// <exception cref="ArgumentException">There is no alternative, two have one name, or an option is out of range.</exception>
    public static Comparison Compare(MeasurementOptions options, params (string Name, Action Action)[] alternatives)
    {
        ArgumentNullException.ThrowIfNull(options);
        var clock = options.Clock;
        return Rounds(options, [.. alternatives.Select(alternative => (alternative.Name, Sampler(alternative.Action)))]);

        Func<double> Sampler(Action action)
        {
            var calls = 0;
            return () =>
            {
                if (calls > 0) return Time(action, calls) / calls;
                // The first call compiles and says little about the next; a long one is left at that.
                var first = Time(action, 1);
                calls = 1;
                if (first > 100 * options.ShortestSample.TotalSeconds) return first;
                while (Time(action, calls) < options.ShortestSample.TotalSeconds && calls < 1 << 24) calls *= 2;
                return Time(action, calls) / calls;
            };
        }

        double Time(Action action, int calls)
        {
            ComputeDevice.Synchronize(options.Device);
            var start = clock.GetTimestamp();
            for (var i = 0; i < calls; i++) action();
            ComputeDevice.Synchronize(options.Device);
            return clock.GetElapsedTime(start).TotalSeconds;
        }
    }

    /// <summary>The same rounds over alternatives that time themselves, such as another process.</summary>
    /// <param name="options">How to measure; the shortest sample and the device are the alternatives' own affair.</param>
    /// <param name="alternatives">Name of each, and what measures one sample in seconds.</param>
    /// <exception cref="ArgumentException">There is no alternative, two have one name, or an option is out of range.</exception>
    public static Comparison Rounds(MeasurementOptions options, params (string Name, Func<double> Sample)[] alternatives)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(alternatives);
        options.Validate();
        if (alternatives.Length == 0) throw new ArgumentException("There is no alternative to time.", nameof(alternatives));
        if (alternatives.DistinctBy(alternative => alternative.Name).Count() < alternatives.Length)
            throw new ArgumentException("Two alternatives have one name.", nameof(alternatives));

        var random = new Random(options.Seed);
        int[] order = [.. Enumerable.Range(0, alternatives.Length)];
        var samples = alternatives.Select(_ => new List<double>()).ToArray();
        for (var i = 0; i < options.WarmUpRounds; i++)
            foreach (var (_, sample) in alternatives) sample();

        var start = options.Clock.GetTimestamp();
        for (var round = 0; round < options.Rounds; round++)
        {
            if (round >= options.FewestRounds && options.Clock.GetElapsedTime(start) > options.Limit) break;
            random.Shuffle(order);
            foreach (var i in order) samples[i].Add(alternatives[i].Sample());
        }

        return new([.. alternatives.Zip(samples, (alternative, own) => new Measurement(alternative.Name, own, Estimate.Median(own)))]);
    }
}
