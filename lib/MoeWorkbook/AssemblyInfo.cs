using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("MoeWorkbook.Cli")]
[assembly: InternalsVisibleTo("MoeWorkbook.Tests")]
