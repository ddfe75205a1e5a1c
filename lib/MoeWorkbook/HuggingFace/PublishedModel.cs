namespace MoeWorkbook;

/// <summary>A published model: its architecture, what its makers say of its size, and where both come from.</summary>
/// <param name="Id">The name to ask for, such as <c>mixtral-8x7b</c>.</param>
/// <param name="Name">The name to print, such as <c>Mixtral-8x7B</c>.</param>
/// <param name="Repository">Its Hugging Face repository.</param>
/// <param name="Config">The architecture.</param>
public sealed record PublishedModel(string Id, string Name, string Repository, ModelConfig Config)
{
    /// <summary>The total that its makers publish, in their words; null where they give none.</summary>
    public string? PublishedTotal { get; init; }

    /// <summary>The active parameters that its makers publish, in their words; null where they give none.</summary>
    public string? PublishedActive { get; init; }

    /// <summary><see cref="PublishedActive"/> as a number, in billions; null where it is no number.</summary>
    public double? PublishedActiveBillions { get; init; }

    /// <summary>The exact number of parameters that a published checkpoint index or header gives; null where none was found.</summary>
    public long? ExactTotal { get; init; }

    /// <summary>Where <see cref="Config"/> and the published figures come from.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    /// <summary>What a reader of the numbers should know.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}
