using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>One empty page of a Chromium without a window, spoken to in the DevTools protocol (chromedevtools.github.io/devtools-protocol).</summary>
internal sealed class HeadlessBrowser : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(1);

    private readonly Process _process;
    private readonly string _profile;
    private readonly ClientWebSocket _socket = new();
    private readonly SemaphoreSlim _sending = new(1);
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode>> _waiting = new();
    private int _sent;
    private string? _session;
    private Task _receiving = Task.CompletedTask;

    private HeadlessBrowser(Process process, string profile) => (_process, _profile) = (process, profile);

    /// <summary>The programs that are looked for, in this order: on the PATH, or at a path of their own.</summary>
    public static IReadOnlyList<string> Programs { get; } = OperatingSystem.IsWindows()
        ?
        [
            .. from folder in (Environment.SpecialFolder[])[Environment.SpecialFolder.ProgramFiles, Environment.SpecialFolder.ProgramFilesX86,
                Environment.SpecialFolder.LocalApplicationData]
               from program in (string[])[@"Google\Chrome\Application\chrome.exe", @"Microsoft\Edge\Application\msedge.exe", @"Chromium\Application\chrome.exe"]
               select Path.Combine(Environment.GetFolderPath(folder), program),
        ]
        : OperatingSystem.IsMacOS()
            ? [.. ((string[])["Google Chrome", "Chromium", "Microsoft Edge"]).Select(name => $"/Applications/{name}.app/Contents/MacOS/{name}")]
            : ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge"];

    /// <summary>What the page tells unasked: an event's name and its parameters.</summary>
    public Action<string, JsonNode>? Told { get; set; }

    /// <summary>The first of some programs that there is; null where there is none.</summary>
    public static string? Find(IEnumerable<string> programs) => programs
        .SelectMany(program => Path.IsPathRooted(program)
            ? [program]
            : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(folder => Path.Combine(folder, program)))
        .FirstOrDefault(File.Exists);

    /// <summary>Starts the browser with one empty page.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="InvalidOperationException">It does not start.</exception>
    public static Task<HeadlessBrowser> StartAsync() => StartAsync(Programs);

    /// <summary>Starts the first of some browsers with one empty page.</summary>
    internal static async Task<HeadlessBrowser> StartAsync(IReadOnlyList<string> programs)
    {
        var program = Find(programs) ?? throw new FileNotFoundException(
            $"Pictures of figures are drawn by Chromium, Chrome or Edge, and none is installed (looked for {string.Join(", ", programs)}); on Debian and Ubuntu 'apt-get install chromium' brings one.");
        var profile = Directory.CreateTempSubdirectory("browser-").FullName;
        var start = new ProcessStartInfo(program,
        [
            "--headless", "--remote-debugging-port=0", $"--user-data-dir={profile}", "--no-first-run", "--disable-gpu", "--disable-extensions", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
            // Chromium refuses root its sandbox; and the page holds nothing but what we put there.
            .. Environment.IsPrivilegedProcess ? (string[])["--no-sandbox"] : [], "about:blank",
        ])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        var browser = new HeadlessBrowser(Process.Start(start)!, profile);
        try
        {
            await browser.ConnectAsync(program);
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    /// <summary>The value of a JavaScript expression in the page; a promise's is awaited.</summary>
    /// <exception cref="InvalidOperationException">It throws.</exception>
    public async Task<JsonNode?> EvaluateAsync(string expression)
    {
        var answer = await SendAsync("Runtime.evaluate", new { expression, awaitPromise = true, returnByValue = true });
        if (answer["exceptionDetails"] is { } thrown) throw new InvalidOperationException($"In the browser: {thrown["exception"]?["description"] ?? thrown["text"]}");
        return answer["result"]!["value"];
    }

    /// <summary>Sends a command of the protocol and returns its result.</summary>
    /// <exception cref="InvalidOperationException">The browser refuses it, or has ended.</exception>
    public async Task<JsonNode> SendAsync(string method, object? parameters = null)
    {
        var id = Interlocked.Increment(ref _sent);
        var answer = new TaskCompletionSource<JsonNode>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = answer;
        var command = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = JsonSerializer.SerializeToNode(parameters ?? new { }) };
        if (_session is not null) command["sessionId"] = _session;
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(command), WebSocketMessageType.Text, true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }

        return await answer.Task.WaitAsync(_patience);
    }

    /// <summary>Ends the browser and deletes its profile.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        await _receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket.Dispose();
        _process.Dispose();
        _sending.Dispose();
        try
        {
            Directory.Delete(_profile, recursive: true);
        }
        catch (IOException)
        {
            // A child of the browser still writes; the folder is temporary.
        }
    }

    private async Task ConnectAsync(string program)
    {
        const string mark = "DevTools listening on ";
        var address = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var last = "";
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null) address.TrySetException(new InvalidOperationException($"{program} does not start: {last}"));
            else if (line.Data.StartsWith(mark, StringComparison.Ordinal)) address.TrySetResult(line.Data[mark.Length..]);
            else last = line.Data;
        };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(_patience);
        await _socket.ConnectAsync(new Uri(await address.Task.WaitAsync(limit.Token)), limit.Token);
        _receiving = ReceiveAsync();
        var target = await SendAsync("Target.createTarget", new { url = "about:blank" });
        _session = (await SendAsync("Target.attachToTarget", new { targetId = target["targetId"], flatten = true }))["sessionId"]!.GetValue<string>();
    }

    private async Task ReceiveAsync()
    {
        try
        {
            var buffer = new byte[1 << 16];
            while (true)
            {
                using var message = new MemoryStream();
                ValueWebSocketReceiveResult received;
                do
                {
                    received = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                    message.Write(buffer, 0, received.Count);
                }
                while (!received.EndOfMessage);
                if (received.MessageType == WebSocketMessageType.Close) break;
                var told = JsonNode.Parse(message.ToArray())!;
                if (told["id"] is null)
                    Told?.Invoke(told["method"]!.GetValue<string>(), told["params"]!);
                else if (_waiting.TryRemove(told["id"]!.GetValue<int>(), out var answer)
                    && !(told["error"] is { } error && answer.TrySetException(new InvalidOperationException($"The browser refuses: {error["message"]}"))))
                    answer.TrySetResult(told["result"]!);
            }
        }
        catch (WebSocketException)
        {
            // The browser has ended.
        }

        foreach (var answer in _waiting.Values) answer.TrySetException(new InvalidOperationException("The browser has ended."));
    }
}
