using System.Diagnostics;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace MoeWorkbook.Notebooks.Scripting;

/// <summary>
/// The child process's side: takes cells from a named pipe and sends outputs back, a JSON object a line. Console text
/// goes this way too; only native code writes to the process's own streams, which the parent reads as well.
/// </summary>
internal sealed partial class ScriptKernel
{
    /// <summary>Ends a cell's text on the process's own streams, so that the parent knows that it has all of it.</summary>
    public const char EndOfCell = '\u001e';

    private readonly StreamWriter _writer;
    private readonly Stream _ownOutput = Console.OpenStandardOutput();
    private readonly Stream _ownError = Console.OpenStandardError();

    private ScriptKernel(Stream pipe) => _writer = new StreamWriter(pipe, leaveOpen: true) { NewLine = "\n" };

    /// <summary>Serves the parent that listens at the named pipe, until it closes it.</summary>
    public static async Task RunAsync(string pipeName)
    {
        await using var pipe = new NamedPipeClientStream(".", pipeName, PipeDirection.InOut, PipeOptions.Asynchronous);
        await pipe.ConnectAsync(10_000);
        var requests = Channel.CreateUnbounded<string>();
        _ = ReadAsync(pipe, requests.Writer);
        await new ScriptKernel(pipe).ServeAsync(requests.Reader);
    }

    /// <summary>Reads on while a cell runs: the end of the pipe means that the parent is gone, and so must this process.</summary>
    private static async Task ReadAsync(Stream pipe, ChannelWriter<string> requests)
    {
        try
        {
            using var reader = new StreamReader(pipe, leaveOpen: true);
            while (await reader.ReadLineAsync() is { } request)
                await requests.WriteAsync(request);
        }
        finally
        {
            Environment.Exit(0);
        }
    }

    private async Task ServeAsync(ChannelReader<string> requests)
    {
        Console.SetOut(new ConsoleStream(text => SendStream("stdout", text)));
        Console.SetError(new ConsoleStream(text => SendStream("stderr", text)));
        DisplayExtensions.Displayed = bundle => SendBundle("display_data", bundle);
        ExecutingLine.Changed = line => Send(new JsonObject { ["line"] = line });
        var session = new ScriptSession(Directory.GetCurrentDirectory());

        await foreach (string request in requests.ReadAllAsync())
        {
            JsonNode cell = JsonNode.Parse(request)!;
            await ExecuteAsync(session, cell["cell"]!.GetValue<int>(), cell["source"]!.GetValue<string>());
            EndCell();
        }
    }

    private async Task ExecuteAsync(ScriptSession session, int cell, string source)
    {
        (bool hasValue, object? value, CellError? error) = await session.ExecuteAsync(cell, source);
        try
        {
            if (hasValue && value is not DisplayedValue)
                SendBundle("execute_result", MimeBundle.Of(value), cell);
        }
        catch (Exception e)
        {
            error = session.RuntimeError(e, cell);
        }
        if (error is not null)
            Send(new JsonObject { ["error"] = JsonSerializer.SerializeToNode(error) });
    }

    private void SendStream(string name, string text) =>
        Send(new JsonObject { ["stream"] = name, ["text"] = text });

    private void SendBundle(string kind, JsonObject bundle, int? executionCount = null)
    {
        var output = new JsonObject { ["data"] = bundle, ["metadata"] = new JsonObject(), ["output_type"] = kind };
        if (executionCount is { } count)
            output["execution_count"] = count;
        Send(new JsonObject { ["output"] = output });
    }

    private void EndCell()
    {
        FlushNativeStreams();
        foreach (Stream stream in (Stream[])[_ownOutput, _ownError])
        {
            stream.WriteByte((byte)EndOfCell);
            stream.Flush();
        }
        using Process self = Process.GetCurrentProcess();
        Send(new JsonObject { ["done"] = true, ["peak"] = self.PeakWorkingSet64 });
    }

    /// <summary>The C library keeps what native code prints to a pipe in a buffer.</summary>
    private static void FlushNativeStreams()
    {
        if (!OperatingSystem.IsWindows())
            _ = FFlush(IntPtr.Zero);
    }

    [LibraryImport("libc", EntryPoint = "fflush")]
    private static partial int FFlush(IntPtr stream);

    private void Send(JsonObject message)
    {
        string line = message.ToJsonString();
        // A cell's own threads write to the console too.
        lock (_writer)
        {
            _writer.WriteLine(line);
            _writer.Flush();
        }
    }
}
