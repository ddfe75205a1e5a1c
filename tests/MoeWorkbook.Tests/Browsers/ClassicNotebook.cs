using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using MoeWorkbook.Notebooks;

namespace MoeWorkbook.Tests.Browsers;

/// <summary>A classic Jupyter Notebook of the test's own, with the workbook's kernel: its settings and its notebooks are all in one folder.</summary>
internal sealed class ClassicNotebook : IAsyncDisposable
{
    private readonly Process _process;

    private ClassicNotebook(Process process, string address) => (_process, Address) = (process, address);

    /// <summary>The system's jupyter or the first on the PATH, whose notebook is the classic one; null where neither is.</summary>
    public static string? Program { get; } = new[] { "/usr/bin/jupyter", "jupyter" }.FirstOrDefault(jupyter => Output(jupyter, "notebook", "--version").StartsWith("6.", StringComparison.Ordinal));

    /// <summary>Its first page, without a slash at the end.</summary>
    public string Address { get; }

    /// <summary>Starts it and waits until it answers.</summary>
    /// <param name="folder">The folder of the notebooks.</param>
    public static async Task<ClassicNotebook> StartAsync(string folder)
    {
        JupyterKernelSpec.Install(folder);
        int port;
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            port = ((IPEndPoint)free.LocalEndpoint).Port;
        }

        // Its formulas would come from a content delivery network.
        var start = new ProcessStartInfo(Program!,
        [
            "notebook", "--allow-root", "--no-browser", "--ip=127.0.0.1", $"--port={port}", "--port-retries=0", "--NotebookApp.token=", "--NotebookApp.password=",
            "--NotebookApp.enable_mathjax=False", $"--notebook-dir={folder}",
        ])
        { RedirectStandardError = true };
        foreach (var variable in (string[])["JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"]) start.Environment[variable] = folder;
        var notebook = new ClassicNotebook(Process.Start(start)!, $"http://127.0.0.1:{port}");
        notebook._process.ErrorDataReceived += (_, _) => { };
        notebook._process.BeginErrorReadLine();
        using var http = new HttpClient();
        for (var clock = Stopwatch.StartNew(); ; await Task.Delay(200))
        {
            try
            {
                await http.GetStringAsync(new Uri($"{notebook.Address}/api"));
                return notebook;
            }
            catch (HttpRequestException) when (clock.Elapsed < TimeSpan.FromMinutes(1) && !notebook._process.HasExited)
            {
                // It does not listen yet.
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static string Output(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return output;
        }
        catch (Win32Exception)
        {
            return ""; // There is no such program.
        }
    }
}
