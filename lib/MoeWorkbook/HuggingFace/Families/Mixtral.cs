using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>Mixtral (Jiang et al. 2024): Mistral with experts in every layer.</summary>
internal static class Mixtral
{
    public static ModelFamily Family { get; } = new("mixtral", Read, "MixtralForCausalLM")
    {
        Write = Write,
        Tensors = new((".mlp.", ".block_sparse_moe.")) { Forms = [TensorNames.SplitExperts("w1", "w3", "w2"), TensorNames.Whole] },
    };

    private static ModelConfig Read(ConfigKeys keys)
    {
        var moe = ExpertKeys.Read(keys, "intermediate_size") with { NormalizeWeights = true };
        return DecoderKeys.Read(keys, AttentionKeys.Read(keys), denseSize: 0, epsilon: 1e-5, theta: 1e6).WithExperts(moe).WithWindow(keys);
    }

    private static void Write(JsonObject json, ModelConfig config)
    {
        var moe = ExpertKeys.Write(json, config, "num_local_experts");
        json["intermediate_size"] = moe.IntermediateSize;
        json["sliding_window"] = LayerKeys.Window(config);
        json["output_router_logits"] = false;
    }
}
