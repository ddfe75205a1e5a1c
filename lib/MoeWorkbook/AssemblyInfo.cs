using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("MoeWorkbook.Tests")]
