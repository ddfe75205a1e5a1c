using System.Text;

namespace MoeWorkbook;

/// <summary>Strands of DNA: <c>GATTACAG-TTACGGAT-CATTACGA</c>, motifs of eight bases from a bank.</summary>
internal sealed class DnaDomain(int tableSize, RandomSource random) : CorpusDomain
{
    public const int MotifLength = 8;
    private const int MotifsPerLine = 3;
    private const string Bases = "ACGT";

    private readonly ZipfTable<string> _motifs =
        new(Distinct(tableSize, () => string.Concat(Enumerable.Range(0, MotifLength).Select(_ => Bases[random.Below(4)]))));

    public override string Name => "dna";

    public override void WriteLine(StringBuilder text, ChoiceSource choices)
    {
        for (var i = 0; i < MotifsPerLine; i++) text.Append(choices.Of(_motifs)).Append(i < MotifsPerLine - 1 ? '-' : '\n');
    }
}
