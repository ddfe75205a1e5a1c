using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MoeWorkbook.Notebooks;

/// <summary>C# as HTML with classes for its parts, from the compiler's own syntax tree: no script in the page.</summary>
internal static class CSharpHighlighter
{
    private static readonly CSharpParseOptions _parsing = new(LanguageVersion.Latest, DocumentationMode.None, SourceCodeKind.Script);

    public static string ToHtml(string source)
    {
        var html = new StringBuilder();
        foreach (var token in CSharpSyntaxTree.ParseText(source, _parsing).GetRoot().DescendantTokens())
        {
            foreach (var trivia in token.LeadingTrivia)
                Append(html, trivia.ToFullString(), ClassOf(trivia));
            Append(html, token.Text, ClassOf(token));
            foreach (var trivia in token.TrailingTrivia)
                Append(html, trivia.ToFullString(), ClassOf(trivia));
        }
        return html.ToString();
    }

    private static void Append(StringBuilder html, string text, string? kind)
    {
        var encoded = Html.Encode(text);
        if (kind is null || text.Length == 0)
            html.Append(encoded);
        else
            html.Append($"<span class=\"{kind}\">").Append(encoded).Append("</span>");
    }

    private static string? ClassOf(SyntaxTrivia trivia) =>
        trivia.IsDirective || trivia.IsKind(SyntaxKind.ShebangDirectiveTrivia) ? "directive"
        : trivia.ToString().StartsWith('/') ? "comment"
        : null;

    private static string? ClassOf(SyntaxToken token)
    {
        if (token.IsKeyword() || SyntaxFacts.IsContextualKeyword(token.Kind()))
            return "keyword";
        return token.Kind() switch
        {
            SyntaxKind.NumericLiteralToken => "number",
            SyntaxKind.StringLiteralToken or SyntaxKind.CharacterLiteralToken or SyntaxKind.Utf8StringLiteralToken
                or SyntaxKind.SingleLineRawStringLiteralToken or SyntaxKind.MultiLineRawStringLiteralToken
                or SyntaxKind.InterpolatedStringTextToken or SyntaxKind.InterpolatedStringStartToken or SyntaxKind.InterpolatedStringEndToken
                or SyntaxKind.InterpolatedVerbatimStringStartToken or SyntaxKind.InterpolatedRawStringEndToken
                or SyntaxKind.InterpolatedSingleLineRawStringStartToken or SyntaxKind.InterpolatedMultiLineRawStringStartToken => "string",
            SyntaxKind.IdentifierToken => ClassOfName(token),
            _ => null,
        };
    }

    /// <summary>Without a compilation only the place of a name tells what it is; in doubt it stays plain.</summary>
    private static string? ClassOfName(SyntaxToken token)
    {
        var upper = char.IsUpper(token.Text.FirstOrDefault());
        switch (token.Parent)
        {
            case IdentifierNameSyntax { IsVar: true }:
                return "keyword";
            case BaseTypeDeclarationSyntax or DelegateDeclarationSyntax:
                return "type";
            case MethodDeclarationSyntax or LocalFunctionStatementSyntax:
                return "method";
            case SimpleNameSyntax name when IsCalled(name):
                return "method";
            case SimpleNameSyntax { Parent: MemberAccessExpressionSyntax access } name:
                return upper && access.Expression == name ? "type" : null;
            case GenericNameSyntax:
                return "type";
            case SimpleNameSyntax { Parent: CastExpressionSyntax cast } name:
                return upper && cast.Type == name ? "type" : null;
            case SimpleNameSyntax
            {
                Parent: ObjectCreationExpressionSyntax or VariableDeclarationSyntax or ParameterSyntax or TypeArgumentListSyntax
                or ArrayTypeSyntax or NullableTypeSyntax or DeclarationPatternSyntax or BaseTypeSyntax or TypeOfExpressionSyntax
                or CatchDeclarationSyntax or AttributeSyntax or MethodDeclarationSyntax or ForEachStatementSyntax or PropertyDeclarationSyntax
            }:
                return upper ? "type" : null;
            default:
                return null;
        }
    }

    private static bool IsCalled(SimpleNameSyntax name) =>
        name.Parent is InvocationExpressionSyntax call && call.Expression == name
        || name.Parent is MemberAccessExpressionSyntax { Parent: InvocationExpressionSyntax called } access && access.Name == name
            && called.Expression == access;
}
