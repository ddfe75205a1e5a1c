using System.Diagnostics;
using System.Text.Json.Nodes;

namespace MoeWorkbook.Tests.Browsers;

/// <summary>A page that reaches this machine and nothing else, and takes down what goes wrong in it.</summary>
internal sealed class OfflinePage : IAsyncDisposable
{
    private static readonly string[] _local = ["file:", "data:", "blob:", "about:", "http://127.0.0.1:", "http://localhost:", "http://[::1]:"];

    private readonly HeadlessBrowser _browser;
    private readonly List<string> _problems = [];

    private OfflinePage(HeadlessBrowser browser) => _browser = browser;

    /// <summary>Requests that left this machine, exceptions, and errors on the console.</summary>
    public IReadOnlyList<string> Problems
    {
        get
        {
            lock (_problems) return [.. _problems];
        }
    }

    public static async Task<OfflinePage> OpenAsync()
    {
        var page = new OfflinePage(await HeadlessBrowser.StartAsync());
        page._browser.Told = page.Take;
        foreach (var domain in (string[])["Page", "Runtime", "Log", "Fetch"]) await page._browser.SendAsync($"{domain}.enable");
        return page;
    }

    public Task GoToAsync(string address) => _browser.SendAsync("Page.navigate", new { url = address });

    public Task<JsonNode?> EvaluateAsync(string expression) => _browser.EvaluateAsync(expression);

    public Task<JsonNode> SendAsync(string method, object? parameters = null) => _browser.SendAsync(method, parameters);

    /// <summary>Waits until an expression is true.</summary>
    public async Task WaitAsync(string expression, int seconds = 60)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < seconds; await Task.Delay(100))
            if (await IsTrueAsync(expression)) return;
        Assert.Fail($"After {seconds} s it does not hold that {expression}. {string.Join("; ", Problems)}");
    }

    public ValueTask DisposeAsync() => _browser.DisposeAsync();

    private async Task<bool> IsTrueAsync(string expression)
    {
        try
        {
            return (await _browser.EvaluateAsync($"Boolean({expression})"))!.GetValue<bool>();
        }
        catch (InvalidOperationException)
        {
            return false; // The page is being loaded.
        }
    }

    private void Take(string told, JsonNode parameters)
    {
        switch (told)
        {
            case "Fetch.requestPaused":
                string address = parameters["request"]!["url"]!.GetValue<string>(), request = parameters["requestId"]!.GetValue<string>();
                var local = _local.Any(start => address.StartsWith(start, StringComparison.Ordinal));
                if (!local) Note($"asks for {address}");
                _ = local ? _browser.SendAsync("Fetch.continueRequest", new { requestId = request }) : _browser.SendAsync("Fetch.failRequest", new { requestId = request, errorReason = "InternetDisconnected" });
                break;
            case "Runtime.exceptionThrown":
                Note($"throws {parameters["exceptionDetails"]!["exception"]?["description"] ?? parameters["exceptionDetails"]!["text"]}");
                break;
            case "Runtime.consoleAPICalled" when parameters["type"]!.GetValue<string>() == "error":
                Note($"says {parameters["args"]!.ToJsonString()}");
                break;
            case "Log.entryAdded" when parameters["entry"]!["level"]!.GetValue<string>() == "error":
                Note($"logs {parameters["entry"]!["text"]} {parameters["entry"]!["url"]}");
                break;
        }
    }

    private void Note(string problem)
    {
        lock (_problems) _problems.Add(problem);
    }
}
