using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MoeWorkbook.Notebooks.Scripting;

namespace MoeWorkbook.Notebooks;

/// <summary>The parent's side of the process that executes one notebook: this same assembly, started by itself.</summary>
/// <remarks>
/// Its own deps.json lists Roslyn and no library of ours, so that a notebook finds the library only through its #r.
/// The named pipe is not inherited by what a cell starts, so its end is the process's end.
/// </remarks>
internal sealed class KernelProcess : IAsyncDisposable
{
    private const int MostConsoleText = 1 << 20;

    private readonly Process _process;
    private readonly NamedPipeServerStream _pipe;
    private readonly StreamWriter _writer;
    private readonly StreamReader _reader;
    private readonly NativeStream _nativeOutput;
    private readonly NativeStream _nativeError;

    private KernelProcess(Process process, NamedPipeServerStream pipe)
    {
        this._process = process;
        this._pipe = pipe;
        _writer = new StreamWriter(pipe, leaveOpen: true) { NewLine = "\n" };
        _reader = new StreamReader(pipe, leaveOpen: true);
        _nativeOutput = new NativeStream(process.StandardOutput);
        _nativeError = new NativeStream(process.StandardError);
    }

    /// <summary>The process's peak resident memory in bytes, as far as it has been seen.</summary>
    public long PeakMemory { get; private set; }

    public static async Task<KernelProcess> StartAsync(string folder, CancellationToken cancellation)
    {
        string assembly = typeof(KernelProcess).Assembly.Location;
        string settings = Path.ChangeExtension(assembly, ".runtimeconfig.json");
        if (!File.Exists(settings))
            throw new FileNotFoundException($"'{settings}' is missing: a notebook's process needs it and the .deps.json beside {Path.GetFileName(assembly)}.", settings);

        // The name becomes a path of a socket, which must be short.
        string name = $"notebook-{Guid.NewGuid():N}"[..24];
        var pipe = new NamedPipeServerStream(name, PipeDirection.InOut, 1, PipeTransmissionMode.Byte, PipeOptions.Asynchronous);
        var start = new ProcessStartInfo(DotnetHost(), ["exec", assembly, "execute", name])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        Process process = Process.Start(start)!;
        var kernel = new KernelProcess(process, pipe);
        try
        {
            process.StandardInput.Close();
            using var connecting = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            Task connected = pipe.WaitForConnectionAsync(connecting.Token);
            if (await Task.WhenAny(connected, process.WaitForExitAsync(cancellation)) != connected && !pipe.IsConnected)
            {
                await connecting.CancelAsync();
                await kernel.DrainAsync();
                throw new InvalidOperationException($"The notebook's process did not start: {kernel.HowItEnded(kernel._nativeError.Take())}");
            }
            await connected;
            return kernel;
        }
        catch
        {
            await kernel.DisposeAsync();
            throw;
        }
    }

    /// <summary>Executes a cell, adding its outputs as they come. Returns what ended it early, or null.</summary>
    public async Task<CellError?> ExecuteAsync(NotebookCell cell, int number, TimeSpan timeout, string timeoutMeaning, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(timeout);
        int line = 0;
        int room = MostConsoleText;
        var nativeErrors = new StringBuilder();
        CellError? error = null;
        try
        {
            var request = new JsonObject { ["cell"] = number, ["source"] = cell.Source };
            await _writer.WriteLineAsync(request.ToJsonString().AsMemory(), limit.Token);
            await _writer.FlushAsync(limit.Token);
            while (await _reader.ReadLineAsync(limit.Token) is { } text)
            {
                JsonObject message = JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { MaxDepth = 256 })!.AsObject();
                if (message["line"] is { } executing)
                    line = executing.GetValue<int>();
                else if (message["stream"] is { } stream)
                    AddText(stream.GetValue<string>(), message["text"]!.GetValue<string>());
                else if (message["output"] is { } output)
                    cell.AddOutput(output.DeepClone().AsObject());
                else if (message["error"] is { } failed)
                    error = failed.Deserialize<CellError>();
                else if (message["done"] is not null)
                {
                    PeakMemory = Math.Max(PeakMemory, message["peak"]!.GetValue<long>());
                    await Task.WhenAll(_nativeOutput.EndOfCellAsync(), _nativeError.EndOfCellAsync());
                    AddNativeText();
                    return error is { Line: 0 } ? error with { Line = error.Name == "CompilationError" ? 0 : line } : error;
                }
                AddNativeText();
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            Kill();
            await DrainAsync();
            AddNativeText();
            return new CellError(line, "Timeout", $"not done after {timeout.TotalSeconds:0.#} s ({timeoutMeaning}); the process was ended", []);
        }
        catch (IOException)
        {
            // The pipe broke: the process has ended.
        }
        await DrainAsync();
        AddNativeText();
        return new CellError(line, "ProcessEnded", HowItEnded(nativeErrors.ToString()), []);

        void AddNativeText()
        {
            AddText("stdout", _nativeOutput.Take());
            string errors = _nativeError.Take();
            nativeErrors.Append(errors);
            AddText("stderr", errors);
        }

        void AddText(string stream, string text)
        {
            if (text.Length == 0 || room == 0)
                return;
            cell.AddStream(stream, text.Length <= room ? text : text[..room] + $"\n… cut after {MostConsoleText >> 20} Mi characters\n");
            room = Math.Max(0, room - text.Length);
        }
    }

    /// <summary>Looks at the process's memory from outside: a process that is killed cannot tell.</summary>
    public void SampleMemory()
    {
        try
        {
            _process.Refresh();
            if (!_process.HasExited)
                PeakMemory = Math.Max(PeakMemory, _process.PeakWorkingSet64);
        }
        catch (InvalidOperationException)
        {
            // It ended between the two lines.
        }
    }

    public async ValueTask DisposeAsync()
    {
        _reader.Dispose();
        await _pipe.DisposeAsync();
        // A process whose pipe has ended ends by itself; a cell's own threads may hold it up.
        using (var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2)))
        {
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                Kill();
            }
        }
        _process.Dispose();
    }

    private void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended already.
        }
    }

    /// <summary>Waits for the process's end and for the last of its text; what it started may hold its streams open for longer.</summary>
    private async Task DrainAsync()
    {
        try
        {
            await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(5));
        }
        catch (TimeoutException)
        {
            Kill();
        }
        await Task.WhenAny(Task.WhenAll(_nativeOutput.Ended, _nativeError.Ended), Task.Delay(TimeSpan.FromSeconds(1)));
    }

    /// <summary>How the process ended, and its last words.</summary>
    private string HowItEnded(string errors)
    {
        if (!_process.HasExited)
            return "the process closed its pipe";
        string how = _process.ExitCode switch
        {
            134 => "the process was aborted (SIGABRT), by native code or the runtime",
            136 => "the process was ended by an arithmetic error in native code (SIGFPE)",
            137 => "the process was killed (SIGKILL): most likely the machine ran out of memory",
            139 => "the process was ended by a bad memory access in native code (SIGSEGV)",
            var code => $"the process ended with exit code {code}",
        };
        string words = string.Join(' ', errors.Split('\n')
            .Select(line => line.Trim())
            .Where(line => line.Length > 0 && !line.StartsWith("at ", StringComparison.Ordinal))
            .Take(3));
        return words.Length == 0 ? how : $"{how}: {(words.Length > 400 ? words[..400] + "…" : words)}";
    }

    /// <summary>The dotnet that runs this process, whatever started it.</summary>
    private static string DotnetHost()
    {
        string name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        // …/dotnet/shared/Microsoft.NETCore.App/10.0.0/
        string beside = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
        return File.Exists(beside) ? beside : name;
    }

    /// <summary>One of the process's own two output streams, read as it comes.</summary>
    private sealed class NativeStream
    {
        private readonly StringBuilder _text = new();
        private readonly SemaphoreSlim _ends = new(0);

        public NativeStream(StreamReader source) => Ended = ReadAsync(source);

        public Task Ended { get; }

        /// <summary>All text since the last call.</summary>
        public string Take()
        {
            lock (_text)
            {
                string taken = _text.ToString();
                _text.Clear();
                return taken;
            }
        }

        /// <summary>Waits until the text of the cell that is done has been read.</summary>
        public async Task EndOfCellAsync() => await Task.WhenAny(_ends.WaitAsync(), Ended);

        private async Task ReadAsync(StreamReader source)
        {
            var buffer = new char[4096];
            int count;
            while ((count = await source.ReadAsync(buffer)) > 0)
            {
                string read = new(buffer, 0, count);
                lock (_text)
                {
                    if (_text.Length < MostConsoleText)
                        _text.Append(read.Replace(ScriptKernel.EndOfCell.ToString(), "", StringComparison.Ordinal));
                }
                int marks = read.Count(character => character == ScriptKernel.EndOfCell);
                if (marks > 0)
                    _ends.Release(marks);
            }
        }
    }
}
