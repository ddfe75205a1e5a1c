namespace MoeWorkbook;

/// <summary>The plotly.js that draws the figures.</summary>
public static class PlotlyJavaScript
{
    /// <summary>The version for which Plotly.NET 5.1.0 writes its charts; on npm, <c>plotly.js-dist-min</c> of this version.</summary>
    public const string Version = "2.27.1";

    /// <summary>Where a notebook without a plotly.js of its own loads it from.</summary>
    public const string Address = $"https://cdn.plot.ly/plotly-{Version}.min.js";

    // Draws every place that waits for this figure (the same figure may be shown twice). A page may have plotly.js already;
    // if not, all figures of a page share one load. Where require.js rules (JupyterLab, .NET Interactive in VS Code),
    // plotly.js would register with it instead of setting window.Plotly, so it is asked for there.
    internal const string Draw = $$"""
        (function (id, figure) {
          function draw(Plotly) {
            document.querySelectorAll('[data-figure="' + id + '"]:not([data-drawn])').forEach(function (place) {
              place.setAttribute('data-drawn', '');
              place.textContent = '';
              Plotly.newPlot(place, figure.data, figure.layout, figure.config);
            });
          }
          function load() {
            var require = window.requirejs || window.require;
            var withRequire = typeof window.define === 'function' && window.define.amd && typeof require === 'function';
            return new Promise(function (resolve, reject) {
              if (withRequire) return require(['{{Address}}'], resolve, reject);
              var script = document.createElement('script');
              script.src = '{{Address}}';
              script.onload = function () { resolve(window.Plotly); };
              script.onerror = reject;
              document.head.appendChild(script);
            });
          }
          if (window.Plotly) return draw(window.Plotly);
          window.moeWorkbookPlotly = window.moeWorkbookPlotly || load();
          window.moeWorkbookPlotly.then(draw, function () {
            document.querySelectorAll('[data-figure="' + id + '"]:not([data-drawn])').forEach(function (place) {
              place.style.height = 'auto';
              place.textContent = 'This figure is drawn by plotly.js, which could not be loaded from {{Address}}.';
            });
          });
        })
        """;
}
