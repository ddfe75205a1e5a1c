namespace MoeWorkbook;

/// <summary>The families that can be read.</summary>
internal static class ModelFamilies
{
    /// <summary>Every family, in the order of <see cref="ModelFamily.ModelType"/>.</summary>
    public static IReadOnlyList<ModelFamily> All { get; } = [.. new[]
    {
        Dbrx.Family,
        DeepSeek.Family,
        DeepSeekV3.Family,
        Glm4Moe.Family,
        GptOss.Family,
        Grok1.Family,
        KimiK2.Family,
        Llama.Family,
        Llama4.Family,
        Llama4.Text,
        MiniMaxM2.Family,
        Mistral.Family,
        Mixtral.Family,
        Olmoe.Family,
        PhiMoe.Family,
        Qwen2Moe.Family,
        Qwen3.Family,
        Qwen3Moe.Family,
        Qwen3Next.Family,
        Qwen35Moe.Family,
        Qwen35Moe.Text,
        SwitchTransformers.Family,
    }.OrderBy(family => family.ModelType, StringComparer.Ordinal)];

    /// <summary>The family of a <c>model_type</c>; null where it is not known.</summary>
    public static ModelFamily? Find(string modelType) => All.FirstOrDefault(family => family.ModelType == modelType);
}
