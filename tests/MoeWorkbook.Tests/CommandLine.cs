using System.Diagnostics;

namespace MoeWorkbook.Tests;

/// <summary>Starts the program as a user does, on the CPU.</summary>
internal static class CommandLine
{
    /// <summary>Runs it to its end.</summary>
    /// <returns>The exit code, what it wrote to its two streams, and the most memory that it was seen to hold, in bytes.</returns>
    public static async Task<(int Code, string Output, string Errors, long PeakBytes)> RunAsync(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "MoeWorkbook.Cli.dll"), .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { [ComputeDevice.Variable] = "cpu" },
        })!;
        var (output, errors, ended) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync(), process.WaitForExitAsync());
        long peak = 0;
        while (!ended.IsCompleted)
        {
            process.Refresh();
            try
            {
                peak = Math.Max(peak, process.PeakWorkingSet64);
            }
            catch (InvalidOperationException) // it has just ended
            {
            }

            await Task.WhenAny(ended, Task.Delay(10));
        }

        return (process.ExitCode, await output, await errors, peak);
    }
}
