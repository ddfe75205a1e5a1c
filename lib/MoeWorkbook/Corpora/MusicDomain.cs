using System.Text;

namespace MoeWorkbook;

/// <summary>Music in a notation like ABC: <c>C2E1G1A4|</c>. A bar is a phrase from a bank; its notes last eight units together.</summary>
internal sealed class MusicDomain(int tableSize, RandomSource random) : CorpusDomain
{
    public const int UnitsInBar = 8;
    private const int BarsPerLine = 3, LongestNote = 4;
    private const string Notes = "CDEFGABcdefgab";

    private readonly ZipfTable<string> _bars = new(Distinct(tableSize, () =>
    {
        var bar = new StringBuilder();
        for (var left = UnitsInBar; left > 0;)
        {
            var length = Math.Min(left, 1 + random.Below(LongestNote));
            bar.Append(Notes[random.Below(Notes.Length)]).Append(length);
            left -= length;
        }

        return bar.Append('|').ToString();
    }));

    public override string Name => "music";

    public override void WriteLine(StringBuilder text, ChoiceSource choices)
    {
        for (var i = 0; i < BarsPerLine; i++) text.Append(choices.Of(_bars));
        text.Append('\n');
    }
}
