namespace MoeWorkbook;

/// <summary>Kimi K2 (Kimi Team 2025): DeepSeek-V3's layers with more experts and fewer heads.</summary>
internal static class KimiK2
{
    public static ModelFamily Family { get; } = DeepSeekV3.Family with
    {
        ModelType = "kimi_k2",
        Architectures = ["DeepseekV3ForCausalLM", "KimiK2ForCausalLM"],
    };
}
