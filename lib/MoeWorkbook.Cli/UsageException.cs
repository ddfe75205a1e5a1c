using System.CommandLine;

namespace MoeWorkbook.Cli;

/// <summary>A command was not given as its help says.</summary>
internal sealed class UsageException(string message, Command? command = null) : Exception(message)
{
    /// <summary>The command, or null for the whole program.</summary>
    public Command? Command { get; } = command;
}
