namespace MoeWorkbook;

/// <summary>Phi-3.5-MoE (Abdin et al. 2024): SparseMixer routing, layer norm with biases; only counted.</summary>
internal static class PhiMoe
{
    public static ModelFamily Family { get; } = new("phimoe", Read, "PhiMoEForCausalLM", "PhimoeForCausalLM");

    private static ModelConfig Read(ConfigKeys keys)
    {
        var bias = keys.Flag("attention_bias", false);
        var moe = ExpertKeys.Read(keys, "intermediate_size") with { Router = RouterKind.SparseMixer };
        var config = DecoderKeys.Read(keys, AttentionKeys.Read(keys, bias, bias), denseSize: 0, epsilon: 1e-5, theta: 1e6).WithExperts(moe);
        config = config with
        {
            Norm = new(NormKind.Layer, config.Norm.Epsilon) { Bias = true },
            HeadBias = keys.Flag("lm_head_bias", false),
        };
        return config.WithWindow(keys);
    }
}
