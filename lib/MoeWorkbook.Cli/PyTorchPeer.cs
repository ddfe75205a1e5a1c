using System.Diagnostics;
using System.Globalization;

namespace MoeWorkbook.Cli;

/// <summary>A Python process with the same layer in PyTorch, timed turn by turn with ours.</summary>
internal sealed class PyTorchPeer : IDisposable
{
    private readonly Process _process;

    private PyTorchPeer(Process process, string version) => (_process, Version) = (process, version);

    /// <summary>What the script says of itself when it is ready: the version of PyTorch, and what else decides about its speed.</summary>
    public string Version { get; }

    /// <summary>The first Python that has torch, of <c>WORKBOOK_PYTHON</c>, <c>python3</c> and <c>/usr/bin/python3</c>; null where none has.</summary>
    public static string? FindPython() =>
        new[] { Environment.GetEnvironmentVariable("WORKBOOK_PYTHON"), "python3", "/usr/bin/python3" }
            .FirstOrDefault(python => !string.IsNullOrWhiteSpace(python) && HasTorch(python));

    /// <summary>Starts the process of one layer; it holds its own copy of the weights until it is disposed.</summary>
    /// <exception cref="CommandException">The process ended before it was ready.</exception>
    public static PyTorchPeer Start(string python, LayerShape shape, string dtype, TorchSharp.torch.Device device) => Start(python, "pytorch_peer.py",
    [
        "--experts", Text(shape.Experts), "--top-k", Text(shape.TopK), "--hidden", Text(shape.Hidden), "--intermediate-size", Text(shape.IntermediateSize),
        "--threads", Text(TorchSharp.torch.get_num_threads()), "--dtype", dtype, "--device", device.ToString(), "--routing", shape.Routing,
    ]);

    /// <summary>Starts a script of the folder <c>bench</c>, which says when it is ready and then answers line by line.</summary>
    /// <exception cref="CommandException">The process ended before it was ready.</exception>
    public static PyTorchPeer Start(string python, string script, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(python, [Path.Combine(AppContext.BaseDirectory, "bench", script), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start) ?? throw new CommandException($"{python} could not be started.");
        var ready = process.StandardOutput.ReadLine();
        if (ready?.StartsWith("ready ", StringComparison.Ordinal) == true) return new(process, ready["ready ".Length..]);
        process.Dispose();
        throw new CommandException($"PyTorch's side of the benchmark did not start ({python}, {script}); its words stand above. It needs as much memory again as ours.");
    }

    /// <summary>Runs what the script runs.</summary>
    /// <param name="what">What its own description says: a way to run a layer and a number of tokens, or a number of training steps.</param>
    /// <returns>Seconds.</returns>
    /// <exception cref="CommandException">The process ended.</exception>
    public double Run(string what)
    {
        _process.StandardInput.WriteLine($"run {what}");
        _process.StandardInput.Flush();
        return double.TryParse(_process.StandardOutput.ReadLine(), NumberStyles.Float, CultureInfo.InvariantCulture, out var milliseconds)
            ? milliseconds / 1000
            : throw new CommandException($"PyTorch's side of the benchmark ended at \"run {what}\".");
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.StandardInput.Close();
            if (!_process.WaitForExit(TimeSpan.FromSeconds(10))) _process.Kill();
        }

        _process.Dispose();
    }

    private static bool HasTorch(string python)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(python, ["-c", "import torch"]) { RedirectStandardError = true, RedirectStandardOutput = true });
            if (process is null) return false;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false; // there is no such program
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
