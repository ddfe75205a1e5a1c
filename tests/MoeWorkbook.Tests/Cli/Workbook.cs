using System.Diagnostics;
using System.Runtime.InteropServices;

namespace MoeWorkbook.Tests.Cli;

/// <summary>The command line, started as a program of its own.</summary>
internal static partial class Workbook
{
    /// <summary>What a command wrote, its exit code, and the most memory that it was seen to hold, in bytes.</summary>
    internal sealed record Ended(int Code, string Output, string Errors, long PeakBytes)
    {
        /// <summary>The one line that a command which failed writes to the error output.</summary>
        public string Line => Assert.Single(Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Runs a command to its end.</summary>
    public static Task<Ended> RunAsync(params string[] arguments) => EndAsync(Start(arguments));

    /// <summary>Starts a command on the CPU, its outputs redirected.</summary>
    public static Process Start(params string[] arguments) => Process.Start(Redirected("dotnet", [Program, .. arguments]))!;

    /// <summary>Runs a line of the shell in which <c>$WORKBOOK</c> is the program.</summary>
    public static async Task<Ended> ShellAsync(string line)
    {
        var start = Redirected("bash", ["-c", line]);
        start.Environment["WORKBOOK"] = $"dotnet {Program}";
        return await EndAsync(Process.Start(start)!);
    }

    /// <summary>Does to a program what Ctrl-C does.</summary>
    public static void Interrupt(Process process) => Assert.Equal(0, Kill(process.Id, signal: 2));

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    /// <summary>Waits for a program's end.</summary>
    public static async Task<Ended> EndAsync(Process started)
    {
        using var process = started;
        var (output, errors, ended) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync(), process.WaitForExitAsync());
        long peak = 0;
        while (!ended.IsCompleted)
        {
            try
            {
                process.Refresh();
                peak = Math.Max(peak, process.PeakWorkingSet64);
            }
            catch (InvalidOperationException) // it has just ended
            {
            }

            await Task.WhenAny(ended, Task.Delay(10));
        }

        return new(process.ExitCode, await output, await errors, peak);
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "MoeWorkbook.Cli.dll");

    private static ProcessStartInfo Redirected(string file, string[] arguments) => new(file, arguments)
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
        WorkingDirectory = Repository.Root,
        Environment = { [ComputeDevice.Variable] = "cpu" },
    };
}
