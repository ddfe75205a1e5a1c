namespace MoeWorkbook;

/// <summary>Alternatives that were timed in the same rounds.</summary>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed class Comparison : INotebookDisplay
{
    private readonly int _seed;

    internal Comparison(IReadOnlyList<Measurement> measurements, int seed) => (Measurements, _seed) = (measurements, seed);

    /// <summary>The alternatives in the order in which they were given.</summary>
    public IReadOnlyList<Measurement> Measurements { get; }

    /// <summary>An alternative by its name.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public Measurement this[string name] => Measurements.FirstOrDefault(measurement => measurement.Name == name)
        ?? throw new ArgumentException($"There is no '{name}'; there are {string.Join(", ", Measurements.Select(measurement => measurement.Name))}.", nameof(name));

    /// <summary>How many times as long one alternative takes as another: the median over the rounds of the ratio within a round, in which both met the same
    /// machine.</summary>
    /// <param name="slower">The alternative above the line.</param>
    /// <param name="faster">The alternative below it.</param>
    /// <exception cref="ArgumentException">There is none of a name.</exception>
    public Estimate Ratio(string slower, string faster) =>
        Estimate.Median(this[slower].Samples.Zip(this[faster].Samples, (above, below) => above / below), _seed);

    /// <summary>The times as a table, each also as a multiple of the first.</summary>
    public Table ToTable()
    {
        var first = Measurements[0].Name;
        return new(
            [Column.Text(""), new("median", "ms"), new("95% interval", "ms"), new($"times {first}")],
            Measurements.Select(measurement => (string[])
            [
                measurement.Name,
                measurement.Milliseconds.ToString(),
                measurement.Milliseconds.Interval,
                measurement.Name == first ? "1" : Ratio(measurement.Name, first).ToString(),
            ]));
    }

    /// <inheritdoc />
    public string ToHtml() => ToTable().ToHtml();

    /// <summary>The table as text.</summary>
    public override string ToString() => ToTable().ToString();
}
