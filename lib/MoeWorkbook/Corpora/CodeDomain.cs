using System.Text;

namespace MoeWorkbook;

/// <summary>Calls of library functions, each with its own pattern of brackets and parameters: <c>zubo(ra,[k]{mi});</c>. Brackets balance.</summary>
internal sealed class CodeDomain(int tableSize, RandomSource random) : CorpusDomain
{
    private const int CallsPerLine = 2, MostParameters = 3;
    private static readonly string[] _brackets = ["()", "[]", "{}", "<>"];

    private readonly ZipfTable<string> _calls = new(
        [.. Distinct(tableSize, () => Word(random, 2)).Select(name => $"{name}({Parameters(random)});")]);

    public override string Name => "code";

    public override void WriteLine(StringBuilder text, ChoiceSource choices)
    {
        text.Append("=> ");
        for (var i = 0; i < CallsPerLine; i++) text.Append(choices.Of(_calls));
        text.Append('\n');
    }

    private static string Parameters(RandomSource random) =>
        string.Join(',', Enumerable.Range(0, 1 + random.Below(MostParameters)).Select(_ =>
        {
            var name = Word(random, 1);
            if (random.Below(2) == 0) return name;
            var bracket = _brackets[random.Below(_brackets.Length)];
            return $"{bracket[0]}{name}{bracket[1]}";
        }));
}
