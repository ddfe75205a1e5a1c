using System.CommandLine;

namespace MoeWorkbook.Cli;

internal static class RunCommand
{
    public static Command Create() => new("run", "Execute notebooks.");
}
