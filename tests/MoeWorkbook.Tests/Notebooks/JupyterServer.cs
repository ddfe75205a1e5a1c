using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeWorkbook.Tests.Notebooks;

/// <summary>A Jupyter server of the test's own: its settings, its kernels and its files are all in the given folders.</summary>
internal sealed class JupyterServer : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(3);
    private readonly Process _process;
    private readonly HttpClient _http = new() { Timeout = _patience };
    private readonly string _token = Guid.NewGuid().ToString("N");
    private readonly int _port;

    /// <summary>The jupyter that has a server: the system's own, or the first on the PATH; null where neither has.</summary>
    public static string? Program { get; } = new[] { "/usr/bin/jupyter", "jupyter" }.FirstOrDefault(HasServer);

    private JupyterServer(string dataFolder, string notebooks)
    {
        using (var free = new TcpListener(IPAddress.Loopback, 0))
        {
            free.Start();
            _port = ((IPEndPoint)free.LocalEndpoint).Port;
        }
        var start = new ProcessStartInfo(Program!,
            ["server", "--allow-root", "--no-browser", "--ServerApp.ip=127.0.0.1", $"--port={_port}", "--ServerApp.port_retries=0", $"--ServerApp.token={_token}", $"--ServerApp.root_dir={notebooks}"])
        {
            RedirectStandardError = true,
        };
        foreach (var variable in (string[])["JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"])
            start.Environment[variable] = dataFolder;
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _http.BaseAddress = new Uri($"http://127.0.0.1:{_port}/api/");
        _http.DefaultRequestHeaders.Authorization = new("token", _token);
    }

    /// <summary>Starts a server and waits until it answers.</summary>
    /// <param name="dataFolder">What Jupyter takes for the user's data: the kernels are in it.</param>
    /// <param name="notebooks">The folder of the notebooks.</param>
    public static async Task<JupyterServer> StartAsync(string dataFolder, string notebooks)
    {
        var server = new JupyterServer(dataFolder, notebooks);
        for (var clock = Stopwatch.StartNew(); ; await Task.Delay(200))
        {
            try
            {
                await server._http.GetStringAsync("");
                return server;
            }
            catch (HttpRequestException) when (clock.Elapsed < _patience && !server._process.HasExited)
            {
                // It does not listen yet.
            }
        }
    }

    /// <summary>Executes a notebook's code cells in a session of their own and returns each cell's outputs in nbformat's form.</summary>
    /// <param name="notebook">The file's name in the server's folder.</param>
    /// <param name="kernel">The kernel's name.</param>
    public async Task<IReadOnlyList<IReadOnlyList<JsonNode>>> ExecuteAsync(string notebook, string kernel)
    {
        using var limit = new CancellationTokenSource(_patience);
        var contents = (await _http.GetFromJsonAsync<JsonNode>($"contents/{notebook}", limit.Token))!;
        using var created = await _http.PostAsJsonAsync("sessions",
            new { path = notebook, name = "", type = "notebook", kernel = new { name = kernel } }, limit.Token);
        created.EnsureSuccessStatusCode();
        var session = (await created.Content.ReadFromJsonAsync<JsonNode>(limit.Token))!;
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{_port}/api/kernels/{session["kernel"]!["id"]}/channels?token={_token}"), limit.Token);
        var outputs = new List<IReadOnlyList<JsonNode>>();
        foreach (var cell in contents["content"]!["cells"]!.AsArray().Where(cell => cell!["cell_type"]!.GetValue<string>() == "code"))
            outputs.Add(await ExecuteCellAsync(socket, cell!["source"]!.GetValue<string>(), limit.Token));
        await _http.DeleteAsync($"sessions/{session["id"]}", limit.Token);
        return outputs;
    }

    private static async Task<IReadOnlyList<JsonNode>> ExecuteCellAsync(ClientWebSocket socket, string source, CancellationToken cancellation)
    {
        var id = Guid.NewGuid().ToString("N");
        var request = new
        {
            channel = "shell",
            header = new { msg_id = id, msg_type = "execute_request", username = "", session = "test", version = "5.3" },
            parent_header = new { },
            metadata = new { },
            content = new { code = source, silent = false, store_history = true, allow_stdin = false, stop_on_error = false },
        };
        await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(request), WebSocketMessageType.Text, true, cancellation);
        var outputs = new List<JsonNode>();
        while (true)
        {
            var message = await ReceiveAsync(socket, cancellation);
            if (message["channel"]!.GetValue<string>() != "iopub" || message["parent_header"]?["msg_id"]?.GetValue<string>() != id)
                continue;
            var content = message["content"]!;
            switch (message["msg_type"]!.GetValue<string>())
            {
                case "stream" or "display_data" or "execute_result" or "error":
                    content["output_type"] = message["msg_type"]!.GetValue<string>();
                    outputs.Add(content);
                    break;
                case "status" when content["execution_state"]!.GetValue<string>() == "idle":
                    return outputs;
            }
        }
    }

    private static async Task<JsonNode> ReceiveAsync(ClientWebSocket socket, CancellationToken cancellation)
    {
        using var text = new MemoryStream();
        var buffer = new byte[1 << 16];
        ValueWebSocketReceiveResult received;
        do
        {
            received = await socket.ReceiveAsync(buffer.AsMemory(), cancellation);
            text.Write(buffer, 0, received.Count);
        }
        while (!received.EndOfMessage);
        return JsonNode.Parse(Encoding.UTF8.GetString(text.ToArray()))!;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static bool HasServer(string jupyter)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(jupyter, ["server", "--version"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (Win32Exception)
        {
            return false; // there is no such program
        }
    }
}
