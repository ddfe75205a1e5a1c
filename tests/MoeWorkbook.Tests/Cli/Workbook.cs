using System.Diagnostics;

namespace MoeWorkbook.Tests.Cli;

/// <summary>The command line, started as a program of its own.</summary>
internal static class Workbook
{
    /// <summary>What a command wrote, and its exit code.</summary>
    internal sealed record Ended(int Code, string Output, string Errors)
    {
        /// <summary>The one line that a command which failed writes to the error output.</summary>
        public string Line => Assert.Single(Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Runs a command to its end.</summary>
    public static async Task<Ended> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        var errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new(process.ExitCode, output, await errors);
    }

    /// <summary>Starts a command on the CPU, its outputs redirected.</summary>
    public static Process Start(params string[] arguments) => Process.Start(Redirected("dotnet", [Program, .. arguments]))!;

    /// <summary>Runs a line of the shell in which <c>$WORKBOOK</c> is the program.</summary>
    public static async Task<Ended> ShellAsync(string line)
    {
        var start = Redirected("bash", ["-c", line]);
        start.Environment["WORKBOOK"] = $"dotnet {Program}";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new(process.ExitCode, output, await errors);
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
