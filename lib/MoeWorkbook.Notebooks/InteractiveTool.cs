using System.Reflection;
using System.Runtime.InteropServices;

namespace MoeWorkbook.Notebooks;

/// <summary>.NET Interactive's tool, which this project's restore brings: where it is, and how it is started.</summary>
internal static class InteractiveTool
{
    /// <summary>Turns the tool's telemetry off.</summary>
    public const string TelemetryVariable = "DOTNET_INTERACTIVE_CLI_TELEMETRY_OPTOUT";

    /// <summary>The tool's main assembly.</summary>
    /// <exception cref="FileNotFoundException">It is not in NuGet's folder (any more).</exception>
    public static string Assembly
    {
        get
        {
            var path = typeof(InteractiveTool).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
                .First(metadata => metadata.Key == "InteractiveTool").Value!;
            return File.Exists(path) ? path : throw new FileNotFoundException(
                $"The notebooks' kernel is missing ({path}): 'dotnet build lib/MoeWorkbook.Cli -c Release' restores it.", path);
        }
    }

    /// <summary>The dotnet that runs this process, whatever started it.</summary>
    public static string Host
    {
        get
        {
            var name = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
            // …/dotnet/shared/Microsoft.NETCore.App/10.0.0/
            var beside = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", name));
            return File.Exists(beside) ? beside : name;
        }
    }
}
