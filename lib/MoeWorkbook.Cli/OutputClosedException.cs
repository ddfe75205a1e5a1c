namespace MoeWorkbook.Cli;

/// <summary>Whoever read the standard output has stopped reading, as <c>head</c> does: the command ends without a word.</summary>
internal sealed class OutputClosedException() : IOException("standard output is closed.");
