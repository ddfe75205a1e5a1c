using System.Globalization;
using System.Text;

namespace MoeWorkbook;

/// <summary>A page of a headless browser that draws figures as pictures, one after the other. It has plotly.js and asks no network.</summary>
public sealed class PicturePage : IAsyncDisposable
{
    private static readonly string[] _formats = ["png", "svg", "jpeg", "webp"];

    private readonly HeadlessBrowser _browser;

    private PicturePage(HeadlessBrowser browser) => _browser = browser;

    /// <summary>Starts the browser.</summary>
    /// <exception cref="FileNotFoundException">No browser is found.</exception>
    /// <exception cref="InvalidOperationException">The browser does not start.</exception>
    public static async Task<PicturePage> OpenAsync()
    {
        var browser = await HeadlessBrowser.StartAsync();
        try
        {
            await browser.EvaluateAsync(FigureScript.JavaScript);
            return new(browser);
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    /// <summary>Saves a figure's drawing, without title and caption.</summary>
    /// <param name="figure">The figure.</param>
    /// <param name="path">The file; its ending says the format: <c>.png</c>, <c>.svg</c>, <c>.jpeg</c> or <c>.webp</c>.</param>
    /// <param name="width">Width in pixels at scale 1.</param>
    /// <param name="height">Height in pixels at scale 1; null for <see cref="Figure.Height"/>.</param>
    /// <param name="scale">How many times as many pixels are drawn; an SVG only grows.</param>
    /// <exception cref="ArgumentException">The file's ending names no such format.</exception>
    public async Task SaveAsync(Figure figure, string path, int width = 800, int? height = null, double scale = 2)
    {
        ArgumentNullException.ThrowIfNull(figure);
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height ?? figure.Height, nameof(height));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(scale);
        var format = Path.GetExtension(path).TrimStart('.').ToLowerInvariant();
        if (!_formats.Contains(format)) throw new ArgumentException($"'{path}' ends in none of {string.Join(", ", _formats.Select(known => "." + known))}.", nameof(path));
        var size = string.Create(CultureInfo.InvariantCulture, $"width: {width}, height: {height ?? figure.Height}, scale: {scale}");
        var address = (await _browser.EvaluateAsync($"Plotly.toImage({figure.ToJson()}, {{ format: '{format}', {size} }})"))!.GetValue<string>();
        var data = address[(address.IndexOf(',', StringComparison.Ordinal) + 1)..];
        var picture = format == "svg" ? Encoding.UTF8.GetBytes(Uri.UnescapeDataString(data)) : Convert.FromBase64String(data);
        WholeFile.Write(path, picture);
    }

    /// <summary>Ends the browser.</summary>
    public ValueTask DisposeAsync() => _browser.DisposeAsync();
}
