using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace MoeWorkbook.Notebooks;

/// <summary>The process that executes one notebook: .NET Interactive's tool over its standard streams, as VS Code starts it.</summary>
/// <remarks>
/// Commands and events are JSON objects, one a line. The tool's own streams are also those of native code and of what a
/// cell starts, so a line, or the beginning of one, may be such text.
/// </remarks>
internal sealed class KernelProcess : IAsyncDisposable
{
    private const int MostConsoleText = 1 << 20;
    private static readonly TimeSpan _startTimeout = TimeSpan.FromMinutes(2);

    // What a pipe holds when the cell's last event is read is read within this time.
    private static readonly TimeSpan _errorDelay = TimeSpan.FromMilliseconds(10);

    private readonly Process _process;
    private readonly Channel<(string Stream, string Text)> _lines = Channel.CreateUnbounded<(string, string)>();
    private readonly ScriptTrace _trace;

    private KernelProcess(Process process, string folder)
    {
        _process = process;
        _trace = new ScriptTrace(folder);
        _ = ReadAsync();

        async Task ReadAsync()
        {
            await Task.WhenAll(ReadStreamAsync("stdout", process.StandardOutput), ReadStreamAsync("stderr", process.StandardError));
            _lines.Writer.TryComplete();
        }

        async Task ReadStreamAsync(string name, StreamReader reader)
        {
            while (await reader.ReadLineAsync() is { } line)
                _lines.Writer.TryWrite((name, line));
        }
    }

    /// <summary>The process's peak resident memory in bytes, as far as it has been seen.</summary>
    public long PeakMemory { get; private set; }

    /// <exception cref="FileNotFoundException">The tool is missing.</exception>
    /// <exception cref="InvalidOperationException">It did not start.</exception>
    public static async Task<KernelProcess> StartAsync(string folder, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(InteractiveTool.Host, ["exec", InteractiveTool.Assembly, "stdio"])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.Environment[InteractiveTool.TelemetryVariable] = "1";
        start.Environment["DOTNET_INTERACTIVE_SKIP_FIRST_TIME_EXPERIENCE"] = "1";
        start.Environment[StartupHook.HooksVariable] = typeof(StartupHook).Assembly.Location;
        start.Environment[StartupHook.ParentVariable] = $"{Environment.ProcessId}";
        var kernel = new KernelProcess(Process.Start(start)!, folder);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_startTimeout);
        var words = new StringBuilder();
        try
        {
            await foreach ((_, var line) in kernel._lines.Reader.ReadAllAsync(limit.Token))
            {
                if (Event(line, out _) is { } told && Type(told) == "KernelReady")
                    return kernel;
                words.Append(line).Append('\n');
            }
            await kernel.EndAsync();
            throw new InvalidOperationException($"The notebook's kernel did not start: {kernel.HowItEnded(words.ToString())}");
        }
        catch (Exception e)
        {
            await kernel.DisposeAsync();
            if (e is OperationCanceledException && !cancellation.IsCancellationRequested)
                throw new InvalidOperationException($"The notebook's kernel was not ready after {_startTimeout.TotalSeconds:0} s.");
            throw;
        }
    }

    /// <summary>Executes a cell, adding its outputs as they come. Returns what ended it early, or null.</summary>
    public async Task<CellError?> ExecuteAsync(NotebookCell cell, int number, TimeSpan timeout, string timeoutMeaning, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(timeout);
        var token = $"cell-{number}";
        var room = MostConsoleText;
        var errors = new StringBuilder();
        var diagnostics = new List<JsonObject>();
        try
        {
            var command = new JsonObject
            {
                ["token"] = token,
                ["commandType"] = "SubmitCode",
                ["command"] = new JsonObject { ["code"] = cell.Source, ["targetKernelName"] = cell.Language },
                ["routingSlip"] = new JsonArray(),
            };
            await _process.StandardInput.WriteLineAsync(command.ToJsonString().AsMemory(), limit.Token);
            await _process.StandardInput.FlushAsync(limit.Token);
            await foreach ((var stream, var line) in _lines.Reader.ReadAllAsync(limit.Token))
            {
                if (Take(stream, line) is not { } told || !(Type(told) is "CommandSucceeded" or "CommandFailed") || told["command"]?["token"]?.GetValue<string>() != token)
                    continue;
                await Task.Delay(_errorDelay, limit.Token);
                while (_lines.Reader.TryRead(out var last))
                    Take(last.Stream, last.Text);
                return Type(told) == "CommandSucceeded" ? null : Failed(told["event"]!["message"]?.GetValue<string>() ?? "");
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            Kill();
            await TakeLastWordsAsync();
            return new CellError(0, "Timeout", $"not done after {timeout.TotalSeconds:0.#} s ({timeoutMeaning}); the process was ended{LastLine()}", []);
        }
        catch (IOException)
        {
            // Nobody reads the command: the process has ended.
        }
        await TakeLastWordsAsync();
        var trace = _trace.Of(errors.ToString(), number, out var at);
        return new CellError(at, "ProcessEnded", HowItEnded(errors.ToString()) + LastLine(), trace);

        async Task TakeLastWordsAsync()
        {
            await EndAsync();
            while (_lines.Reader.TryRead(out var last))
                Take(last.Stream, last.Text);
        }

        JsonNode? Take(string stream, string line)
        {
            var told = Event(line, out var text);
            if (stream == "stderr")
                errors.Append(line).Append('\n');
            if (text.Length > 0 || told is null)
                AddText(stream, told is null ? line + "\n" : text);
            switch (Type(told))
            {
                case "StandardOutputValueProduced":
                    AddText("stdout", Plain(told!["event"]!));
                    break;
                case "StandardErrorValueProduced" or "ErrorProduced":
                    AddText("stderr", Plain(told!["event"]!));
                    break;
                case "DisplayedValueProduced":
                    AddValue("display_data", told!["event"]!);
                    break;
                case "ReturnValueProduced":
                    AddValue("execute_result", told!["event"]!);
                    break;
                case "CodeSubmissionReceived" when told!["routingSlip"]![0]!.GetValue<string>().EndsWith("/csharp", StringComparison.Ordinal):
                    _trace.Add(number, cell.Source, told["event"]!["code"]!.GetValue<string>());
                    break;
                case "DiagnosticsProduced":
                    diagnostics.AddRange(told!["event"]!["diagnostics"]!.AsArray().OfType<JsonObject>().Where(one => one["severity"]!.GetValue<string>() == "error"));
                    break;
            }
            return told;
        }

        void AddText(string stream, string text)
        {
            if (text.Length == 0 || room == 0)
                return;
            cell.AddStream(stream, text.Length <= room ? text : text[..room] + $"\n… cut after {MostConsoleText >> 20} Mi characters\n");
            room = Math.Max(0, room - text.Length);
        }

        void AddValue(string kind, JsonNode shown)
        {
            var output = new JsonObject { ["data"] = Forms(shown), ["metadata"] = new JsonObject(), ["output_type"] = kind };
            if (kind == "execute_result")
                output["execution_count"] = number;
            cell.AddOutput(output);
        }

        CellError Failed(string message)
        {
            if (diagnostics.FirstOrDefault() is { } first)
                return new CellError(Line(first), "CompilationError", Meaning(first), [.. diagnostics.Select(error => $"{Place(error)}: {Meaning(error)}")]);
            var trace = _trace.Of(message, number, out var line);
            (var name, var meaning) = ScriptTrace.Split(message);
            return new CellError(line, name, meaning, trace);
        }

        string LastLine()
        {
            var stdout = cell.Outputs.LastOrDefault(output => output["name"]?.GetValue<string>() == "stdout");
            var last = NotebookCell.Text(stdout?["text"]).TrimEnd().Split('\n')[^1].Trim();
            return last.Length == 0 ? "" : $"; the last line that the cell printed: {Short(last)}";
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
        Kill();
        await EndAsync();
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
    private async Task EndAsync()
    {
        try
        {
            await _process.WaitForExitAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(5));
        }
        catch (TimeoutException)
        {
            Kill();
        }
        await Task.WhenAny(_lines.Reader.Completion, Task.Delay(TimeSpan.FromSeconds(1)));
    }

    /// <summary>How the process ended, and its last words.</summary>
    private string HowItEnded(string errors)
    {
        if (!_process.HasExited)
            return "the process closed its output";
        var how = _process.ExitCode switch
        {
            134 => "the process was aborted (SIGABRT), by native code or the runtime",
            136 => "the process was ended by an arithmetic error in native code (SIGFPE)",
            137 => "the process was killed (SIGKILL): most likely the machine ran out of memory",
            139 => "the process was ended by a bad memory access in native code (SIGSEGV)",
            var code => $"the process ended with exit code {code}",
        };
        var words = string.Join(' ', errors.Split('\n')
            .Select(line => line.Trim())
            .Where(line => line.Length > 0 && !line.StartsWith("at ", StringComparison.Ordinal))
            .Take(3));
        return words.Length == 0 ? how : $"{how}: {Short(words)}";
    }

    /// <summary>The kernel's event in a line of its output, if there is one; text before it is of native code that ended no line.</summary>
    private static JsonNode? Event(string line, out string before)
    {
        before = "";
        var start = line.LastIndexOf("{\"event\":", StringComparison.Ordinal);
        if (start < 0 || !line.EndsWith('}'))
            return null;
        try
        {
            var told = JsonNode.Parse(line[start..]);
            if (Type(told) is null)
                return null;
            before = line[..start];
            return told;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Type(JsonNode? told) => told?["eventType"]?.GetValue<string>();

    /// <summary>A value's forms by MIME type, as nbformat has them: JSON as JSON, all others as text.</summary>
    private static JsonObject Forms(JsonNode shown)
    {
        var forms = new JsonObject();
        foreach (var value in shown["formattedValues"]!.AsArray())
        {
            var mime = value!["mimeType"]!.GetValue<string>();
            var text = value["value"]!.GetValue<string>();
            forms[mime] = mime == "application/json" ? JsonNode.Parse(text) : JsonValue.Create(text);
        }
        return forms;
    }

    private static string Plain(JsonNode shown) => string.Concat(shown["formattedValues"]!.AsArray().Select(value => value!["value"]!.GetValue<string>()));

    private static int Line(JsonNode diagnostic) => diagnostic["linePositionSpan"]!["start"]!["line"]!.GetValue<int>() + 1;

    private static string Place(JsonNode diagnostic) =>
        $"line {Line(diagnostic)}, column {diagnostic["linePositionSpan"]!["start"]!["character"]!.GetValue<int>() + 1}";

    private static string Meaning(JsonNode diagnostic) => $"{diagnostic["code"]}: {diagnostic["message"]}";

    private static string Short(string text) => text.Length > 400 ? text[..400] + "…" : text;
}
