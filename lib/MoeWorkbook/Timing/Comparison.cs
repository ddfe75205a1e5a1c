namespace MoeWorkbook;

/// <summary>Alternatives that were timed in the same rounds.</summary>
[TypeFormatterSource(typeof(DisplayFormatters), PreferredMimeTypes = ["text/html", "text/plain"])]
public sealed class Comparison : INotebookDisplay
{
    internal Comparison(IReadOnlyList<Measurement> measurements) => Measurements = measurements;

    /// <summary>The alternatives in the order in which they were given.</summary>
    public IReadOnlyList<Measurement> Measurements { get; }

    /// <summary>An alternative by its name.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public Measurement this[string name] => Measurements.FirstOrDefault(measurement => measurement.Name == name)
        ?? throw new ArgumentException($"There is no '{name}'; there are {string.Join(", ", Measurements.Select(measurement => measurement.Name))}.", nameof(name));

    /// <summary>How many times as long one alternative takes as another: the geometric mean over the rounds of the ratio within a round, in which both met the
    /// same machine, with the 95% interval of a paired t on its logarithm (<see cref="Estimate.MeanRatio"/>); the unit is the round.</summary>
    /// <param name="slower">The alternative above the line.</param>
    /// <param name="faster">The alternative below it.</param>
    /// <exception cref="ArgumentException">There is none of a name.</exception>
    public Estimate Ratio(string slower, string faster) =>
        Estimate.MeanRatio(this[slower].Samples, this[faster].Samples);

    /// <summary>The times as a table, each also as a multiple of the first.</summary>
    public Table ToTable()
    {
        var first = Measurements[0].Name;
        return new(
            [Column.Text(""), new("median", "ms"), new(Measurements[0].IntervalName, "ms"), new($"times {first}")],
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
