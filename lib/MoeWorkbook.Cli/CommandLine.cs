using System.CommandLine;
using System.CommandLine.Invocation;

namespace MoeWorkbook.Cli;

/// <summary>Runs a command. Every way in which it can fail ends here, in one line on the error output and an exit code.</summary>
internal static class CommandLine
{
    /// <summary>Exit codes: what was asked for could not be done; it was not asked for as <c>--help</c> says; it was stopped from outside (as the shell counts
    /// Ctrl-C); the reader of the output has gone (as it counts SIGPIPE).</summary>
    public const int Failed = 1, WrongUsage = 2, Interrupted = 130, OutputClosed = 141;

    // An "@" begins a word of a prompt, not the name of a file with more arguments.
    private static readonly ParserConfiguration _parsing = new() { ResponseFileTokenReplacer = null };

    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        try
        {
            StandardOutput.Install();
            var parsed = root.Parse(args, _parsing);
            if (parsed.Action is ParseErrorAction)
                throw new UsageException(string.Join(" ", parsed.Errors.Select(error => error.Message)), parsed.CommandResult.Command);
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = TimeSpan.FromMinutes(1)
            });
        }
        catch (OutputClosedException)
        {
            return OutputClosed;
        }
        catch (OperationCanceledException)
        {
            Say("stopped before the end.");
            return Interrupted;
        }
        catch (UsageException e)
        {
            Say($"{e.Message} ('{Path(e.Command ?? root)} --help' says more.)");
            return WrongUsage;
        }
        catch (Exception e) when (e is CommandException or ModelConfigException or CheckpointException or TrainingDivergedException or NotSupportedException
            or IOException or UnauthorizedAccessException)
        {
            Say(e.Message);
            return Failed;
        }
        catch (OutOfMemoryException)
        {
            Say("there is not enough memory for this.");
            return Failed;
        }
        catch (Exception e) when (Environment.GetEnvironmentVariable("WORKBOOK_TRACE") != "1")
        {
            Say($"a fault of the workbook, {e.GetType().Name}: {e.Message} Please report it with the command that you gave (WORKBOOK_TRACE=1 shows where it happened).");
            return Failed;
        }
    }

    private static void Say(string message) =>
        Console.Error.WriteLine($"workbook: {string.Join(' ', message.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))}");

    private static string Path(Command command) =>
        command is RootCommand ? "./workbook" : $"{Path(command.Parents.OfType<Command>().First())} {command.Name}";
}
