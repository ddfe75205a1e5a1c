using System.Text.Json;
using System.Text.Json.Serialization;

namespace MoeWorkbook;

/// <summary>All steps and validations of a training run.</summary>
public sealed class TrainingHistory
{
    internal static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, // a loss that grew beyond all bounds
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    private readonly List<TrainingStep> _steps = [];
    private readonly List<ValidationResult> _validations = [];

    /// <summary>The steps, in order.</summary>
    public IReadOnlyList<TrainingStep> Steps => _steps;

    /// <summary>The validations, in order.</summary>
    public IReadOnlyList<ValidationResult> Validations => _validations;

    internal void Add(TrainingStep step) => _steps.Add(step);

    internal void Add(ValidationResult validation) => _validations.Add(validation);

    /// <summary>Writes one JSON object a line, <c>{"training": …}</c> for each step and <c>{"validation": …}</c> for each validation, to a temporary file that
    /// is then renamed.</summary>
    /// <param name="path">The file; replaced where it exists.</param>
    /// <exception cref="CheckpointException">The file cannot be written.</exception>
    public void Write(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var lines = _steps.Select(step => (step.Step, Line: new Line { Training = step }))
            .Concat(_validations.Select(validation => (validation.Step, Line: new Line { Validation = validation })))
            .OrderBy(entry => entry.Step) // stable: a validation comes after its step
            .Select(entry => JsonSerializer.Serialize(entry.Line, Json));
        try
        {
            WholeFile.Write(path, string.Concat(lines.Select(line => line + "\n")));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, null, $"the file cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="CheckpointException">The file cannot be read, or a line is not what is written there.</exception>
    public static TrainingHistory Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var history = new TrainingHistory();
        var number = 0;
        try
        {
            foreach (var text in File.ReadLines(path))
            {
                number++;
                var line = JsonSerializer.Deserialize<Line>(text, Json);
                if (line?.Training is { } step) history.Add(step);
                if (line?.Validation is { } validation) history.Add(validation);
            }
        }
        catch (JsonException e)
        {
            throw new CheckpointException(path, null, $"line {number} is no entry of a training history: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, null, $"the file cannot be read: {e.Message}", e);
        }

        return history;
    }

    private sealed record Line
    {
        public TrainingStep? Training { get; init; }

        public ValidationResult? Validation { get; init; }
    }
}
