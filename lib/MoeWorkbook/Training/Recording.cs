using System.Text.Json;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Training runs kept in a file, with what made them: a run of minutes that a notebook shows beside its own of seconds.</summary>
/// <param name="Command">The exact command.</param>
/// <param name="Date">The day.</param>
/// <param name="Processor">The processor.</param>
/// <param name="Cores">How many of its cores were used.</param>
/// <param name="Packages">The packages that decide about results and speed, with their versions.</param>
/// <param name="Runs">The runs.</param>
/// <param name="Device">The device that they were trained on, such as cpu or cuda:0.</param>
/// <param name="Gpu">The GPU that the device is; null on the CPU.</param>
public sealed record Recording(
    string Command, DateOnly Date, string Processor, int Cores, IReadOnlyDictionary<string, string> Packages, IReadOnlyList<TrainingRun> Runs, string Device = "cpu", Gpu? Gpu = null)
{
    private static readonly JsonSerializerOptions _json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
        IgnoreReadOnlyProperties = true,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    /// <summary>A recording of runs on this machine, today.</summary>
    /// <param name="command">The exact command that makes them.</param>
    /// <param name="runs">The runs.</param>
    /// <param name="device">Where they were trained; null for the CPU.</param>
    public static Recording Of(string command, IEnumerable<TrainingRun> runs, Device? device = null) => new(
        command, DateOnly.FromDateTime(DateTime.UtcNow), Machine.Current.Processor, Machine.Current.Cores, Machine.Current.Packages, [.. runs],
        (device ?? CPU).ToString(), device is null ? null : Gpu.Of(device));

    /// <summary>Reads a recording.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is no recording; the message says where it stops being one.</exception>
    public static Recording Read(string path)
    {
        string text = File.ReadAllText(path);
        try
        {
            return JsonSerializer.Deserialize<Recording>(text, _json) ?? throw new InvalidDataException($"{path} is empty; a recording is a JSON object.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is no recording: {e.Message}", e);
        }
    }

    /// <summary>Writes the recording whole: the file is there completely or as it was before.</summary>
    /// <param name="path">The file; its folder is made where it does not exist.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(string path) => RecordingFile.Write(path, this, _json);

    /// <summary>Where the numbers come from: the day and the machine, the command, the packages, a line each.</summary>
    public override string ToString() => RecordingFile.Origin(Date, Device, Gpu, Processor, Cores, Command, Packages);
}
