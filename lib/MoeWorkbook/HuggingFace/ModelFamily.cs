using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>A family of published models: what its <c>config.json</c> says and how its checkpoints name the weights.</summary>
/// <remarks>Each has one file in <c>Families</c> and its row in <see cref="ModelFamilies"/>.</remarks>
/// <param name="ModelType">The <c>model_type</c> of its files.</param>
/// <param name="Read">From the keys of a file to the model.</param>
/// <param name="Architectures">The names of its causal model's class; the first is the one that is written.</param>
internal sealed record ModelFamily(string ModelType, Func<ConfigKeys, ModelConfig> Read, params string[] Architectures)
{
    /// <summary>The type of the language model that such a file may wrap in <c>text_config</c>; null for none.</summary>
    public string? TextType { get; init; }

    /// <summary>Adds to the keys of <see cref="DecoderKeys.Write"/> those that engines read in files of this family; null where no file is written.</summary>
    public Action<JsonObject, ModelConfig>? Write { get; init; }

    /// <summary>How its checkpoints name the weights; null where it has no forward pass here and is only counted.</summary>
    public TensorNames? Tensors { get; init; }
}
