using System.Globalization;
using System.Text;

namespace MoeWorkbook;

/// <summary>Events and when they were: <c>Kamo 1743-08-27 Tue</c>. The weekday is that of the date in the Gregorian calendar.</summary>
internal sealed class DateDomain(int tableSize, RandomSource random) : CorpusDomain
{
    private static readonly DateOnly _first = new(1600, 1, 1), _last = new(2099, 12, 31);

    private readonly ZipfTable<string> _events = new([.. Distinct(tableSize, () => Word(random, 2)).Select(name =>
    {
        var date = _first.AddDays(random.Below(_last.DayNumber - _first.DayNumber + 1));
        return string.Create(CultureInfo.InvariantCulture, $"{char.ToUpperInvariant(name[0])}{name[1..]} {date:yyyy-MM-dd} {date.DayOfWeek.ToString()[..3]}\n");
    })]);

    public override string Name => "dates";

    public override void WriteLine(StringBuilder text, ChoiceSource choices) => text.Append(choices.Of(_events));
}
