using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace MoeWorkbook.Tests.Architecture;

/// <summary>What <c>dotnet format</c> does not look at: a line ends where a reader's window does.</summary>
public sealed class LineTests
{
    private const int Columns = 160;

    [Fact]
    public void A_line_is_at_most_160_columns_long_not_counting_what_it_quotes()
    {
        var sources = ((string[])["lib", "tests"])
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(folder => folder is "obj" or "bin"));
        string[] tooLong = [.. sources.AsParallel().SelectMany(TooLong).Order()];
        Assert.True(tooLong.Length == 0, string.Join('\n', tooLong));
    }

    private static IEnumerable<string> TooLong(string path)
    {
        var text = CSharpSyntaxTree.ParseText(File.ReadAllText(path), path: path);
        var (lines, quoted) = (text.GetText().Lines, new Dictionary<int, int>());
        if (lines.All(line => line.Span.Length <= Columns)) return [];
        foreach (var token in text.GetRoot().DescendantTokens().Where(IsQuoted))
        {
            foreach (var line in lines.Where(line => line.Span.OverlapsWith(token.Span)))
                quoted[line.LineNumber] = quoted.GetValueOrDefault(line.LineNumber) + line.Span.Intersection(token.Span)!.Value.Length;
        }

        return lines.Where(line => line.Span.Length - quoted.GetValueOrDefault(line.LineNumber) > Columns)
            .Select(line => $"{Path.GetRelativePath(Repository.Root, path)}, line {line.LineNumber + 1}: {line.Span.Length} columns");
    }

    private static bool IsQuoted(SyntaxToken token) => token.Kind() is SyntaxKind.StringLiteralToken or SyntaxKind.InterpolatedStringTextToken
        or SyntaxKind.SingleLineRawStringLiteralToken or SyntaxKind.MultiLineRawStringLiteralToken;
}
