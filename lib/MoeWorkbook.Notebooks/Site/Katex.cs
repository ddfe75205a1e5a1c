using System.ComponentModel;
using System.Diagnostics;
using System.Text.Json;

namespace MoeWorkbook.Notebooks;

/// <summary>The script and fonts that set formulas, from katex's npm package: fetched once, then copied beside the pages.</summary>
internal static class Katex
{
    private const string Package = "katex";
    private static readonly TimeSpan _npmTimeout = TimeSpan.FromMinutes(2);

    /// <summary>Brings katex into <c>assets/</c>; false, said in the log, where it cannot be had, and the pages do without.</summary>
    public static bool Provide(SiteOptions site, TextWriter log)
    {
        if (Installed(site) != site.KatexVersion && Install(site) is { } problem)
        {
            log.WriteLine(Installed(site) is { } older
                ? $"{Package} {site.KatexVersion} could not be fetched ({problem}); the copy of {older} in {site.NpmFolder} is used."
                : $"{Package} {site.KatexVersion} could not be fetched ({problem}) and there is no copy in {site.NpmFolder}: formulas stay as LaTeX. Run again where npm can reach its registry.");
        }

        return CopyAll(Path.Combine(PackageFolder(site), "dist"), Path.Combine(site.Folder, "assets", "katex"));
    }

    private static string PackageFolder(SiteOptions site) => Path.Combine(site.NpmFolder, "node_modules", Package);

    private static string? Installed(SiteOptions site)
    {
        var description = Path.Combine(PackageFolder(site), "package.json");
        if (!File.Exists(description))
            return null;
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllText(description));
            return json.RootElement.GetProperty("version").GetString();
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Runs npm; returns what went wrong, or null.</summary>
    private static string? Install(SiteOptions site)
    {
        WholeFile.Write(Path.Combine(site.NpmFolder, "package.json"), JsonSerializer.Serialize(new
        {
            @private = true,
            dependencies = new { katex = site.KatexVersion },
        }));
        string[] arguments = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
        var start = OperatingSystem.IsWindows()
            ? new ProcessStartInfo("cmd", ["/c", site.Npm, .. arguments])
            : new ProcessStartInfo(site.Npm, arguments);
        start.WorkingDirectory = site.NpmFolder;
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        try
        {
            using var npm = Process.Start(start)!;
            npm.OutputDataReceived += (_, _) => { };
            npm.BeginOutputReadLine();
            var errors = npm.StandardError.ReadToEndAsync();
            if (!npm.WaitForExit(_npmTimeout))
            {
                npm.Kill(entireProcessTree: true);
                return $"npm took longer than {_npmTimeout.TotalMinutes:0} minutes";
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

    private static bool CopyAll(string source, string target)
    {
        if (!Copy(Path.Combine(source, "katex.min.js"), Path.Combine(target, "katex.min.js"))
            || !Copy(Path.Combine(source, "katex.min.css"), Path.Combine(target, "katex.min.css")))
            return false;
        // Every current browser takes woff2, the first of the three forms that the style sheet names.
        foreach (var font in Directory.GetFiles(Path.Combine(source, "fonts"), "*.woff2"))
            Copy(font, Path.Combine(target, "fonts", Path.GetFileName(font)));
        return true;
    }
}
