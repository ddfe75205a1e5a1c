using System.Collections.Immutable;
using System.Diagnostics;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Scripting;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Scripting;
using Microsoft.CodeAnalysis.Scripting.Hosting;

namespace MoeWorkbook.Notebooks.Scripting;

/// <summary>A notebook's C#: each cell goes on where the last one ended.</summary>
internal sealed partial class ScriptSession
{
    // .NET Interactive's own imports and no more, so that what compiles here compiles there.
    private static readonly string[] Imports =
        ["System", "System.Text", "System.Collections", "System.Collections.Generic", "System.Threading.Tasks", "System.Linq", typeof(DisplayExtensions).Namespace!];

    private static readonly CSharpParseOptions Parsing = new(LanguageVersion.Latest, kind: SourceCodeKind.Script);

    private readonly string _folder;
    private readonly ScriptOptions _options;
    private readonly InteractiveAssemblyLoader _loader = new();
    private readonly Dictionary<int, string> _sources = [];
    private ScriptState<object>? _state;

    public ScriptSession(string folder)
    {
        this._folder = folder;
        _options = ScriptOptions.Default
            .WithLanguageVersion(LanguageVersion.Latest)
            .WithImports(Imports)
            .AddReferences(typeof(DisplayExtensions).Assembly, typeof(System.Text.Json.JsonSerializer).Assembly, typeof(Microsoft.CSharp.RuntimeBinder.Binder).Assembly)
            .WithMetadataResolver(ScriptMetadataResolver.Default.WithBaseDirectory(folder))
            .WithSourceResolver(ScriptSourceResolver.Default.WithBaseDirectory(folder))
            .WithOptimizationLevel(OptimizationLevel.Release)
            .WithEmitDebugInformation(true)
            .WithFileEncoding(Encoding.UTF8)
            .WithAllowUnsafe(true);
        _loader.RegisterDependency(typeof(DisplayExtensions).Assembly);
    }

    /// <summary>Executes a cell. Returns the value of its last expression, if it has one, or the error that ended it.</summary>
    public async Task<(bool HasValue, object? Value, CellError? Error)> ExecuteAsync(int cell, string source)
    {
        _sources[cell] = source;
        string path = CellPath(cell);
        CompilationUnitSyntax root = CSharpSyntaxTree.ParseText(source, Parsing).GetCompilationUnitRoot();
        if (Unsupported(root, source) is { } unsupported)
            return (false, null, unsupported);

        ScriptOptions here = _options.WithFilePath(path);
        string announced = root.ContainsDiagnostics ? source : AnnounceLines(root, source);
        Script<object> script = _state is null
            ? CSharpScript.Create<object>(announced, here, assemblyLoader: _loader)
            : _state.Script.ContinueWith<object>(announced, here);
        ImmutableArray<Diagnostic> diagnostics = script.Compile();
        if (diagnostics.Any(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error))
            return (false, null, CompilationError(diagnostics, path));
        try
        {
            _state = _state is null ? await script.RunAsync() : await script.RunFromAsync(_state);
            return (HasValue(script, path), _state.ReturnValue, null);
        }
        catch (CompilationErrorException e)
        {
            return (false, null, CompilationError(e.Diagnostics, path));
        }
        catch (Exception e)
        {
            return (false, null, RuntimeError(e, cell));
        }
    }

    /// <summary>What the real kernels would take as an order to themselves, and this one does not know.</summary>
    private static CellError? Unsupported(CompilationUnitSyntax root, string source)
    {
        foreach (ReferenceDirectiveTriviaSyntax reference in root.GetReferenceDirectives())
        {
            if (reference.File.ValueText.StartsWith("nuget:", StringComparison.OrdinalIgnoreCase))
                return Unsupported(reference.SpanStart,
                    $"#r \"{reference.File.ValueText}\": this runner restores no packages. Reference an assembly by its path: #r \"../artifacts/workbook/MoeWorkbook.dll\".");
        }
        foreach (Match magic in MagicCommand().Matches(source))
        {
            // Not inside a raw string, say.
            if (root.FindTrivia(magic.Index).Span.Length > 0 || root.FindToken(magic.Index).IsMissing || !root.FindToken(magic.Index).Span.Contains(magic.Index))
                return Unsupported(magic.Index, $"{magic.Value.Trim()}: this runner knows no magic commands; a code cell holds C# alone.");
        }
        return null;

        CellError Unsupported(int position, string message) =>
            new(root.SyntaxTree.GetText().Lines.GetLinePosition(position).Line + 1, "NotSupported", message, []);
    }

    [GeneratedRegex(@"^[ \t]*#!\w[^\r\n]*", RegexOptions.Multiline)]
    private static partial Regex MagicCommand();

    /// <summary>Puts a call before each top-level statement, on its own line, so that line numbers stay as they are.</summary>
    private static string AnnounceLines(CompilationUnitSyntax root, string source)
    {
        var announced = new StringBuilder(source);
        foreach (MemberDeclarationSyntax member in root.Members.Reverse())
        {
            if (member is not (GlobalStatementSyntax or FieldDeclarationSyntax))
                continue;
            int line = member.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
            announced.Insert(member.SpanStart, $"global::{typeof(ExecutingLine).FullName}.{nameof(ExecutingLine.Is)}({line});");
        }
        return announced.ToString();
    }

    private static bool HasValue(Script script, string path)
    {
        Compilation compilation = script.GetCompilation();
        SyntaxTree tree = compilation.SyntaxTrees.Single(tree => tree.FilePath == path);
        return tree.GetCompilationUnitRoot().Members.LastOrDefault() is GlobalStatementSyntax { Statement: ExpressionStatementSyntax last }
            && last.SemicolonToken.IsMissing
            && compilation.GetSemanticModel(tree).GetTypeInfo(last.Expression).Type?.SpecialType != SpecialType.System_Void;
    }

    private CellError CompilationError(ImmutableArray<Diagnostic> diagnostics, string path)
    {
        List<Diagnostic> errors = diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error).ToList();
        List<string> trace = [];
        foreach (Diagnostic error in errors)
        {
            FileLinePositionSpan span = error.Location.GetLineSpan();
            trace.Add(span.IsValid ? $"{Place(span.Path, span.StartLinePosition.Line + 1)}: {error.Id}: {Message(error)}" : $"{error.Id}: {Message(error)}");
        }
        FileLinePositionSpan first = errors[0].Location.GetLineSpan();
        return new CellError(first.Path == path ? first.StartLinePosition.Line + 1 : 0, "CompilationError", $"{errors[0].Id}: {Message(errors[0])}", trace);
    }

    private string Message(Diagnostic error)
    {
        string message = error.GetMessage();
        return error.Id == "CS0006"
            ? $"{message} (looked for from {_folder}). If it is the workbook's library: ./workbook build lays it out."
            : message;
    }

    public CellError RuntimeError(Exception thrown, int cell)
    {
        Exception exception = thrown;
        while (exception is AggregateException { InnerExceptions.Count: 1 } or TargetInvocationException && exception.InnerException is not null)
            exception = exception.InnerException;

        var trace = new List<string>();
        int line = 0;
        for (Exception? e = exception; e is not null; e = e.InnerException)
        {
            if (e != exception)
                trace.Add($"caused by {e.GetType().FullName}: {e.Message}");
            foreach (StackFrame frame in new StackTrace(e, fNeedFileInfo: true).GetFrames())
            {
                int at = frame.GetFileLineNumber();
                if (frame.GetFileName() is not { } file || at == 0 || !IsScript(frame))
                    continue;
                trace.Add("at " + Place(file, at));
                if (line == 0 && file == CellPath(cell))
                    line = at;
            }
        }
        return new CellError(line, exception.GetType().FullName!, exception.Message, trace);

        // The library may have debug information too.
        static bool IsScript(StackFrame frame) =>
            frame.GetMethod() is { } method && method.DeclaringType is { } type && type.Assembly.GetName().Name!.StartsWith('\u211B');
    }

    private string Place(string path, int line)
    {
        (int cell, string source) = _sources.FirstOrDefault(known => CellPath(known.Key) == path);
        if (source is null)
            return $"{Path.GetRelativePath(_folder, path)}, line {line}";
        return $"cell {cell}, line {line}: {LineOf(source, line)}";
    }

    private static string LineOf(string source, int line) => source.Split('\n').ElementAtOrDefault(line - 1)?.Trim() ?? "";

    private string CellPath(int cell) => Path.Combine(_folder, $"cell {cell}");
}
