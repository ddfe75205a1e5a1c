using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace MoeWorkbook.Tests.Architecture;

/// <summary>The library's folders are floors: the README's table lists them from the ground up, and code uses its own floor and those below.</summary>
public sealed partial class FloorTests
{
    private static readonly string _library = Path.Combine(Repository.Root, "lib", "MoeWorkbook");

    private static readonly string[] _floors = [.. Row().Matches(File.ReadAllText(Path.Combine(Repository.Root, "README.md"))).Select(row => row.Groups[1].Value)];

    [Fact]
    public void The_readme_lists_every_folder_of_the_library_from_the_ground_up() =>
        Assert.Equal(Directory.GetDirectories(_library).Select(folder => Path.GetFileName(folder)!).Except(["bin", "obj"]).Order(), _floors.Order());

    [Fact]
    public void No_code_refers_to_a_type_of_a_floor_above_its_own()
    {
        var upward = _arrows.Value.Where(arrow => arrow.User != "Climber" && Floor(arrow.From) < Floor(arrow.To))
            .Select(arrow => $"{arrow.From} → {arrow.To}: {arrow.User} uses {arrow.Used}").Order();
        Assert.Empty(upward);
    }

    [Fact]
    public void An_arrow_upwards_is_found_even_where_no_type_is_named() => Assert.Contains((_floors[0], "Transformers", "Climber", "Decoder"), _arrows.Value);

    /// <summary>Every use of a type, from the folder of the code to the folder of the type; and those of a climber, who stands on the ground.</summary>
    private static readonly Lazy<HashSet<(string From, string To, string User, string Used)>> _arrows = new(() =>
    [
        .. Arrows(
        [
            .. Sources(),
            CSharpSyntaxTree.ParseText(
                "namespace MoeWorkbook; internal static class Climber { public static object Top(CausalLanguageModel model) => model.Decoder.Layers; }",
                path: Path.Combine(_library, _floors[0], "Climber.cs")),
        ]),
    ]);

    private static ParallelQuery<(string From, string To, string User, string Used)> Arrows(SyntaxTree[] sources)
    {
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) != "MoeWorkbook.dll").Select(path => MetadataReference.CreateFromFile(path));
        var compilation = CSharpCompilation.Create("floors", sources, references, new(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));
        return sources.AsParallel().SelectMany(source =>
        {
            var model = compilation.GetSemanticModel(source);
            // A member inherited from below is used below, whatever it is called through.
            return source.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>().Select(name => model.GetSymbolInfo(name).Symbol)
                .SelectMany(symbol => new[] { symbol as INamedTypeSymbol ?? symbol?.ContainingType, TypeOf(symbol) })
                .OfType<INamedTypeSymbol>().Select(type => type.OriginalDefinition).Distinct<INamedTypeSymbol>(SymbolEqualityComparer.Default)
                .Select(type => (type.Name, Declared: type.DeclaringSyntaxReferences.FirstOrDefault()?.SyntaxTree)).Where(type => type.Declared is not null)
                .Select(type => (FolderOf(source), FolderOf(type.Declared!), Path.GetFileNameWithoutExtension(source.FilePath), type.Name));
        });

        static INamedTypeSymbol? TypeOf(ISymbol? symbol) => symbol switch
        {
            IPropertySymbol property => property.Type as INamedTypeSymbol,
            IFieldSymbol field => field.Type as INamedTypeSymbol,
            IMethodSymbol method => method.ReturnType as INamedTypeSymbol,
            _ => null,
        };
    }

    private static SyntaxTree[] Sources() =>
    [
        CSharpSyntaxTree.ParseText("global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Threading; global using System.Threading.Tasks;",
            path: Path.Combine(_library, _floors[0], "Usings.cs")),
        .. _floors.SelectMany(floor => Directory.GetFiles(Path.Combine(_library, floor), "*.cs", SearchOption.AllDirectories))
            .Select(file => CSharpSyntaxTree.ParseText(File.ReadAllText(file), path: file)),
    ];

    private static string FolderOf(SyntaxTree source) => Path.GetRelativePath(_library, source.FilePath).Split(Path.DirectorySeparatorChar)[0];

    private static int Floor(string folder) => Array.IndexOf(_floors, folder);

    [GeneratedRegex(@"^\| `(\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
