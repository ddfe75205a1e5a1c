using System.Globalization;
using System.Text.Json;

namespace MoeWorkbook;

/// <summary>What recordings of benchmarks and of training runs share: how they are written, and the words on where they come from.</summary>
internal static class RecordingFile
{
    /// <summary>Writes a recording whole: the file is there completely or as it was before.</summary>
    public static void Write<T>(string path, T recording, JsonSerializerOptions json)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        string next = path + ".next";
        File.WriteAllText(next, JsonSerializer.Serialize(recording, json) + "\n");
        File.Move(next, path, overwrite: true);
    }

    /// <summary>The day and the machine, the command, the packages, a line each.</summary>
    public static string Origin(DateOnly date, string device, Gpu? gpu, string processor, int cores, string command, IReadOnlyDictionary<string, string> packages)
    {
        string machine = string.Create(CultureInfo.InvariantCulture, $"{cores} cores of {processor}");
        if (gpu is not null) machine = string.Create(CultureInfo.InvariantCulture, $"{gpu.Name} (driver {gpu.Driver}, {gpu.MemoryBytes / (double)(1L << 30):F0} GiB) beside {machine}");
        else if (device != "cpu") machine = $"{device} beside {machine}";
        return string.Create(CultureInfo.InvariantCulture,
            $"Recorded on {date:yyyy-MM-dd} on {machine} by\n  {command}\nwith {string.Join(", ", packages.Select(package => $"{package.Key} {package.Value}"))}");
    }
}
