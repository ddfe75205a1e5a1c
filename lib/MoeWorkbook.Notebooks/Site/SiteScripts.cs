using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace MoeWorkbook.Notebooks;

/// <summary>The scripts that pages need, from their npm packages: fetched once, then copied beside the pages.</summary>
internal sealed record SiteScripts(bool Plotly, bool Katex)
{
    private static readonly TimeSpan NpmTimeout = TimeSpan.FromMinutes(2);

    /// <summary>Brings the scripts into <c>assets/</c>. What cannot be had is said in the log, and the pages do without.</summary>
    public static SiteScripts Provide(SiteOptions site, TextWriter log)
    {
        (string Name, string Version)[] packages = [("plotly.js-dist-min", site.PlotlyVersion), ("katex", site.KatexVersion)];
        if (packages.Any(package => Installed(site, package.Name) != package.Version) && Install(site, packages) is { } problem)
        {
            foreach ((string name, string version) in packages.Where(package => Installed(site, package.Name) != package.Version))
                log.WriteLine(Installed(site, name) is { } older
                    ? $"{name} {version} could not be fetched ({problem}); the copy of {older} in {site.NpmFolder} is used."
                    : $"{name} {version} could not be fetched ({problem}) and there is no copy in {site.NpmFolder}: {Without(name)}. Run again where npm can reach its registry.");
        }

        string assets = Path.Combine(site.Folder, "assets");
        Directory.CreateDirectory(assets);
        return new SiteScripts(
            Copy(Path.Combine(PackageFolder(site, "plotly.js-dist-min"), "plotly.min.js"), Path.Combine(assets, "plotly.min.js")),
            CopyKatex(Path.Combine(PackageFolder(site, "katex"), "dist"), Path.Combine(assets, "katex")));

        static string Without(string name) => name == "katex" ? "formulas stay as LaTeX" : "figures are not drawn";
    }

    private static string PackageFolder(SiteOptions site, string package) => Path.Combine(site.NpmFolder, "node_modules", package);

    private static string? Installed(SiteOptions site, string package)
    {
        string description = Path.Combine(PackageFolder(site, package), "package.json");
        if (!File.Exists(description))
            return null;
        try
        {
            using JsonDocument json = JsonDocument.Parse(File.ReadAllText(description));
            return json.RootElement.GetProperty("version").GetString();
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Runs npm; returns what went wrong, or null.</summary>
    private static string? Install(SiteOptions site, (string Name, string Version)[] packages)
    {
        WholeFile.Write(Path.Combine(site.NpmFolder, "package.json"), JsonSerializer.Serialize(new
        {
            @private = true,
            dependencies = packages.ToDictionary(package => package.Name, package => package.Version),
        }));
        string[] arguments = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
        ProcessStartInfo start = OperatingSystem.IsWindows()
            ? new ProcessStartInfo("cmd", ["/c", site.Npm, .. arguments])
            : new ProcessStartInfo(site.Npm, arguments);
        start.WorkingDirectory = site.NpmFolder;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        try
        {
            using Process npm = Process.Start(start)!;
            npm.OutputDataReceived += (_, _) => { };
            npm.BeginOutputReadLine();
            Task<string> errors = npm.StandardError.ReadToEndAsync();
            if (!npm.WaitForExit(NpmTimeout))
            {
                npm.Kill(entireProcessTree: true);
                return $"npm took longer than {NpmTimeout.TotalMinutes:0} minutes";
            }
            return npm.ExitCode == 0 ? null : $"npm: {errors.Result.Split('\n').FirstOrDefault(line => line.Length > 0)?.Trim() ?? $"exit code {npm.ExitCode}"}";
        }
        catch (Win32Exception)
        {
            return $"{site.Npm} is not installed";
        }
    }

    private static bool Copy(string source, string target)
    {
        if (!File.Exists(source))
            return false;
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.Copy(source, target, overwrite: true);
        return true;
    }

    private static bool CopyKatex(string source, string target)
    {
        if (!Copy(Path.Combine(source, "katex.min.js"), Path.Combine(target, "katex.min.js"))
            || !Copy(Path.Combine(source, "katex.min.css"), Path.Combine(target, "katex.min.css")))
            return false;
        // Every current browser takes woff2, the first of the three forms that the style sheet names.
        foreach (string font in Directory.GetFiles(Path.Combine(source, "fonts"), "*.woff2"))
            Copy(font, Path.Combine(target, "fonts", Path.GetFileName(font)));
        return true;
    }
}
