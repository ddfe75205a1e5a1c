using System.Text.Json;
using static TorchSharp.torch;

namespace MoeWorkbook;

/// <summary>Training runs kept in a file, with what made them: a run of minutes that a notebook shows beside its own of seconds.</summary>
/// <param name="Origin">The command, the day and the machine.</param>
/// <param name="Runs">The runs.</param>
public sealed record TrainingRecording(RecordingOrigin Origin, IReadOnlyList<TrainingRun> Runs)
{
    /// <summary>A recording of runs on this machine, today.</summary>
    /// <param name="command">The exact command that makes them.</param>
    /// <param name="runs">The runs.</param>
    /// <param name="device">Where they were trained; null for the CPU.</param>
    public static TrainingRecording Of(string command, IEnumerable<TrainingRun> runs, Device? device = null) =>
        new(RecordingOrigin.Here(command, device), [.. runs]);

    /// <summary>Reads a recording.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    /// <exception cref="InvalidDataException">It is no recording; the message says where it stops being one.</exception>
    public static TrainingRecording Read(string path)
    {
        var text = File.ReadAllText(path);
        try
        {
            return JsonSerializer.Deserialize<TrainingRecording>(text, JsonText.Record) ?? throw new InvalidDataException($"{path} is empty; a recording is a JSON object.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is no recording: {e.Message}", e);
        }
    }

    /// <summary>Writes the recording whole: the file is there completely or as it was before.</summary>
    /// <param name="path">The file; its folder is made where it does not exist.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(string path) => WholeFile.Write(path, JsonSerializer.Serialize(this, JsonText.Record) + "\n");

    /// <summary>Where the numbers come from.</summary>
    public override string ToString() => Origin.ToString();
}
