namespace MoeWorkbook.Cli;

/// <summary>A command cannot do what was asked; the message tells the user why and what to do.</summary>
internal sealed class CommandException(string message) : Exception(message);
