namespace MoeWorkbook;

/// <summary>All steps and validations of a training run.</summary>
public sealed class TrainingHistory
{
    private readonly List<TrainingStep> _steps = [];
    private readonly List<ValidationResult> _validations = [];

    /// <summary>The steps, in order.</summary>
    public IReadOnlyList<TrainingStep> Steps => _steps;

    /// <summary>The validations, in order.</summary>
    public IReadOnlyList<ValidationResult> Validations => _validations;

    internal void Add(TrainingStep step) => _steps.Add(step);

    internal void Add(ValidationResult validation) => _validations.Add(validation);

    /// <summary>Writes one JSON object a line: each step and, after its step, each validation.</summary>
    /// <param name="path">The file; replaced whole where it exists.</param>
    public void Write(string path) => throw new NotImplementedException(path);

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="CheckpointException">The file cannot be read, or a line is not what is written there.</exception>
    public static TrainingHistory Read(string path) => throw new NotImplementedException(path);
}
