using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MoeWorkbook.Notebooks;

/// <summary>A notebook as a C# app of one file, which <c>dotnet run</c> executes: no kernel, no Python. Prose becomes comments; what a cell would show goes
/// into
/// a page.</summary>
public static class NotebookScript
{
    private static readonly CSharpParseOptions _asCell = CSharpParseOptions.Default.WithKind(SourceCodeKind.Script);

    // The workbook's own rules are for its library; an app's default, ahead-of-time compilation, takes reflection away.
    private static readonly string[] _properties =
        ["PublishAot=false", "TreatWarningsAsErrors=false", "EnforceCodeStyleInBuild=false", "GenerateDocumentationFile=false", "AnalysisLevel=none", "Nullable=disable", "WarningLevel=0"];

    /// <summary>Writes a notebook as a script.</summary>
    /// <param name="notebook">The .ipynb file.</param>
    /// <param name="path">The .cs file; it must lie in the working copy, whose settings it takes.</param>
    /// <param name="project">The library's folder.</param>
    /// <exception cref="FileNotFoundException">There is no such notebook.</exception>
    /// <exception cref="InvalidDataException">It is no notebook, or a cell is no C#.</exception>
    public static void Write(string notebook, string path, string project)
    {
        ArgumentNullException.ThrowIfNull(notebook);
        ArgumentNullException.ThrowIfNull(path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        WholeFile.Write(path, Of(NotebookDocument.Read(notebook), Path.GetFileNameWithoutExtension(path),
            Relative(folder, project), Relative(folder, Path.GetDirectoryName(Path.GetFullPath(notebook))!)));
    }

    /// <summary>The script's text.</summary>
    /// <param name="document">The notebook.</param>
    /// <param name="name">The script's name without its ending; its page gets the same.</param>
    /// <param name="project">The library's folder, seen from the script.</param>
    /// <param name="notebooks">The notebook's folder, from which it names files, seen from the script.</param>
    /// <exception cref="InvalidDataException">A cell is no C#.</exception>
    public static string Of(NotebookDocument document, string name, string project, string notebooks)
    {
        StringBuilder usings = new(), statements = new(), types = new();
        foreach (var (cell, i) in document.Cells.Select((cell, i) => (cell, i)))
        {
            if (cell.Kind == CellKind.Markdown) statements.Append(Comment(cell.Source)).Append('\n');
            if (cell.Kind != CellKind.Code) continue;
            var root = CSharpSyntaxTree.ParseText(WithoutReferences(cell.Source), _asCell).GetCompilationUnitRoot();
            if (root.GetDiagnostics().FirstOrDefault(told => told.Severity == DiagnosticSeverity.Error) is { } error)
                throw new InvalidDataException($"cells[{i}], line {error.Location.GetLineSpan().StartLinePosition.Line + 1}: {error.GetMessage()}");
            foreach (var line in root.Usings) usings.Append(line.ToString()).Append('\n');
            foreach (var member in root.Members) Append(member, statements, types);
            statements.Append('\n');
        }

        return $"""
            #:project {project}
            {string.Join('\n', _properties.Select(property => $"#:property {property}"))}
            {usings}
            Directory.SetCurrentDirectory((string)AppContext.GetData("EntryPointFileDirectoryPath")!);
            using var page = new ChapterPage("{name}.html", "{(document.Title ?? name).Replace("\"", "\\\"", StringComparison.Ordinal)}");
            Directory.SetCurrentDirectory("{notebooks}");

            {statements.ToString().TrimEnd()}

            {types.ToString().TrimEnd()}
            """.ReplaceLineEndings("\n").TrimEnd() + "\n";
    }

    private static void Append(MemberDeclarationSyntax member, StringBuilder statements, StringBuilder types)
    {
        switch (member)
        {
            case BaseTypeDeclarationSyntax or DelegateDeclarationSyntax:
                types.Append(member.ToFullString().TrimEnd()).Append("\n\n"); // types stand behind all statements
                break;
            case GlobalStatementSyntax { Statement: ExpressionStatementSyntax { SemicolonToken.IsMissing: true } shown }:
                statements.Append(shown.GetLeadingTrivia().ToFullString()).Append($"page.Show({shown.Expression.WithoutTrivia().ToFullString()});\n");
                break;
            case MethodDeclarationSyntax method:
                SyntaxTokenList modifiers = [.. method.Modifiers.Where(modifier => !SyntaxFacts.IsAccessibilityModifier(modifier.Kind()))];
                statements.Append(method.WithModifiers(modifiers).ToFullString().TrimEnd()).Append('\n');
                break;
            default:
                statements.Append(member.ToFullString().TrimEnd()).Append('\n');
                break;
        }
    }

    private static string WithoutReferences(string source) =>
        string.Join('\n', source.Split('\n').Where(line => !line.StartsWith("#r ", StringComparison.Ordinal) && !line.StartsWith("NotebookDisplay.Register", StringComparison.Ordinal)));

    private static string Comment(string text) => string.Concat(text.TrimEnd().Split('\n').Select(line => $"// {line}".TrimEnd() + "\n"));

    private static string Relative(string from, string to) => Path.GetRelativePath(from, to).Replace('\\', '/');
}
