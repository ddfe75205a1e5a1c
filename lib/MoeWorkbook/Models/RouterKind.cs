namespace MoeWorkbook;

/// <summary>How router logits become experts and combine weights in a published model.</summary>
public enum RouterKind
{
    /// <summary>Softmax over all experts, the k largest taken (Mixtral, Qwen3-MoE, OLMoE).</summary>
    SoftmaxTopK,

    /// <summary>A sigmoid of each logit; the k largest taken, by score plus selection bias where there is one (DeepSeek-V3, GLM-4.5; Llama 4 with k =
    /// 1).</summary>
    SigmoidTopK,

    /// <summary>Softmax, the largest taken, its probability as the combine weight (Switch Transformers; Fedus et al. 2021).</summary>
    Switch,

    /// <summary>SparseMixer-v2 (Phi-3.5-MoE; Liu et al. 2024).</summary>
    SparseMixer,

    /// <summary>Noise on the logits while training, the k largest taken (Shazeer et al. 2017). To train with; no file format names it, nor those that
    /// follow.</summary>
    NoisyTopK,

    /// <summary>Each expert takes its best tokens, k for each token on average (Zhou et al. 2022). In a causal model it sees the future.</summary>
    ExpertChoice,

    /// <summary>A token goes to every expert whose threshold its probability exceeds, k on average (arXiv:2603.11535).</summary>
    ExpertThreshold,

    /// <summary>The two largest, the second at random while training (Lepikhin et al. 2020); k is 2.</summary>
    GShard,

    /// <summary>Balanced assignment as optimal transport while training (Clark et al. 2022).</summary>
    Sinkhorn,

    /// <summary>A fixed function of the token's id (Roller et al. 2021); k is 1.</summary>
    Hash,

    /// <summary>Tokens are dealt to the experts in turn: perfectly even and blind.</summary>
    Uniform,
}
