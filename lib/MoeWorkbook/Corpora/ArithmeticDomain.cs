using System.Text;

namespace MoeWorkbook;

/// <summary>Products as one learns them by heart: <c>73*62=4526;</c>, always from the same multiplication table.</summary>
internal sealed class ArithmeticDomain(int tableSize, RandomSource random) : CorpusDomain
{
    private const int FactsPerLine = 3;

    private readonly ZipfTable<string> _facts = new(Distinct(tableSize, () =>
    {
        var (a, b) = (10 + random.Below(90), 10 + random.Below(90));
        return $"{a}*{b}={a * b};";
    }));

    public override string Name => "arithmetic";

    public override void WriteLine(StringBuilder text, ChoiceSource choices)
    {
        for (var i = 0; i < FactsPerLine; i++) text.Append(choices.Of(_facts));
        text.Append('\n');
    }
}
