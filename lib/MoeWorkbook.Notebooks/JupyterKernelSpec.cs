using System.Text.Json.Nodes;

namespace MoeWorkbook.Notebooks;

/// <summary>The kernel specification from which Jupyter (JupyterLab, the classic Notebook) starts the notebooks' kernel.</summary>
/// <remarks>
/// Unlike the one that <c>dotnet interactive jupyter install</c> writes, it names the pinned tool itself, so that it works
/// in every folder; its kernel listens on the loopback interface only, and its telemetry is off.
/// </remarks>
public static class JupyterKernelSpec
{
    /// <summary>The kernel's name, which the notebooks' metadata give.</summary>
    public const string Name = ".net-csharp";

    /// <summary>The folder in which Jupyter keeps what the current user installs: <c>JUPYTER_DATA_DIR</c>, or the operating system's place for it.</summary>
    public static string UserDataFolder
    {
        get
        {
            var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
            return Environment.GetEnvironmentVariable("JUPYTER_DATA_DIR") is { Length: > 0 } named ? named
                : OperatingSystem.IsWindows() ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData), "jupyter")
                : OperatingSystem.IsMacOS() ? Path.Combine(home, "Library", "Jupyter")
                : Path.Combine(Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } data ? data : Path.Combine(home, ".local", "share"), "jupyter");
        }
    }

    /// <summary>Writes the specification, over one that is there already.</summary>
    /// <param name="dataFolder">A folder of Jupyter's data; Jupyter finds it when it is <see cref="UserDataFolder"/> or in <c>JUPYTER_PATH</c>.</param>
    /// <returns>The file, <c>kernels/.net-csharp/kernel.json</c> in that folder.</returns>
    /// <exception cref="FileNotFoundException">The tool is missing.</exception>
    public static string Install(string dataFolder)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(dataFolder);
        var specification = new JsonObject
        {
            ["argv"] = new JsonArray(InteractiveTool.Host, "exec", InteractiveTool.Assembly, "jupyter", "--default-kernel", "csharp", "--http-local-only", "{connection_file}"),
            ["display_name"] = ".NET (C#)",
            ["language"] = "C#",
            ["env"] = new JsonObject { [InteractiveTool.TelemetryVariable] = "1" },
        };
        var file = Path.Combine(Path.GetFullPath(dataFolder), "kernels", Name, "kernel.json");
        WholeFile.Write(file, specification.ToJsonString(JsonText.Indented) + "\n");
        return file;
    }
}
