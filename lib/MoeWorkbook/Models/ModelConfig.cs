namespace MoeWorkbook;

/// <summary>The architecture of a transformer: everything that decides its parameters and its forward pass, and nothing about its weights. Dense where it has
/// no experts.</summary>
/// <remarks>Read from a Hugging Face <c>config.json</c> by <see cref="HuggingFaceConfig"/>, from the catalog by <see cref="ModelCatalog"/>, or written by hand;
/// see <see cref="Dense"/> and <see cref="MixtureOfExperts"/>.</remarks>
public sealed record ModelConfig
{
    /// <summary>The Hugging Face <c>model_type</c>, which also names the layout of the checkpoint.</summary>
    public required string ModelType { get; init; }

    /// <summary>Size of the hidden states, <c>[batch, sequence, hidden]</c>.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Number of tokens in the vocabulary.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>The attention of each decoder layer, in order.</summary>
    public required IReadOnlyList<AttentionKind> LayerAttention { get; init; }

    /// <summary>For each decoder layer, whether its feed-forward block is a Mixture-of-Experts layer.</summary>
    public required IReadOnlyList<bool> MoeLayers { get; init; }

    /// <summary>The headCount of full and sliding-window attention. For latent attention only <see cref="AttentionConfig.HeadCount"/> and the biases
    /// count.</summary>
    public required AttentionConfig Attention { get; init; }

    /// <summary>Multi-head latent attention, where some layer has it.</summary>
    public LatentAttentionConfig? LatentAttention { get; init; }

    /// <summary>Gated DeltaNet, where some layer has it.</summary>
    public LinearAttentionConfig? LinearAttention { get; init; }

    /// <summary>Rotary position embeddings; null where positions enter otherwise (T5).</summary>
    public RotaryConfig? Rotary { get; init; }

    /// <summary>The norms.</summary>
    public required NormConfig Norm { get; init; }

    /// <summary>The form of every feed-forward block and expert.</summary>
    public FeedForwardKind FeedForward { get; init; }

    /// <summary>The constants of clamped SwiGLU; without meaning for other forms.</summary>
    public SwiGluClamp SwiGluClamp { get; init; } = new();

    /// <summary>Intermediate size of a dense feed-forward block; 0 where every layer is a Mixture-of-Experts layer.</summary>
    public int IntermediateSize { get; init; }

    /// <summary>Whether the dense feed-forward blocks have biases.</summary>
    public bool FeedForwardBias { get; init; }

    /// <summary>The Mixture-of-Experts layers; null in a dense model.</summary>
    public MoeConfig? Moe { get; init; }

    /// <summary>Whether the language-model head is the transposed embedding.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>Whether the language-model head has a bias.</summary>
    public bool HeadBias { get; init; }

    /// <summary>The longest sequence that the model was made for; null where the file does not say.</summary>
    public int? MaxPositions { get; init; }

    /// <summary>The encoder of an encoder-decoder model; null for a decoder alone.</summary>
    public EncoderConfig? Encoder { get; init; }

    /// <summary>Number of decoder layers.</summary>
    public int LayerCount => LayerAttention.Count;

    /// <summary>Whether some layer is a Mixture-of-Experts layer.</summary>
    public bool IsMixtureOfExperts => Moe is not null;

    /// <summary>A dense decoder in the manner of Llama: full attention, RMSNorm, SwiGLU, rotary embeddings.</summary>
    /// <param name="hiddenSize">Size of the hidden states; divisible by <paramref name="headCount"/>.</param>
    /// <param name="layerCount">Number of layers.</param>
    /// <param name="headCount">Number of query heads.</param>
    /// <param name="keyValueHeadCount">Number of key and value headCount; divides <paramref name="headCount"/>.</param>
    /// <param name="intermediateSize">Intermediate size of the feed-forward blocks.</param>
    /// <param name="vocabularySize">Number of tokens.</param>
    /// <exception cref="ArgumentException">A size is not positive or two of them do not fit together.</exception>
    public static ModelConfig Dense(int hiddenSize, int layerCount, int headCount, int keyValueHeadCount, int intermediateSize, int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(layerCount);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(headCount);
        if (hiddenSize % headCount != 0)
            throw new ArgumentException($"hiddenSize ({hiddenSize}) must be a multiple of headCount ({headCount}).", nameof(hiddenSize));
        var config = new ModelConfig
        {
            ModelType = "llama",
            HiddenSize = hiddenSize,
            VocabularySize = vocabularySize,
            LayerAttention = [.. Enumerable.Repeat(AttentionKind.Full, layerCount)],
            MoeLayers = [.. Enumerable.Repeat(false, layerCount)],
            Attention = new(headCount, keyValueHeadCount, hiddenSize / headCount),
            Rotary = new(10000),
            Norm = new(NormKind.Rms, 1e-5),
            IntermediateSize = intermediateSize,
        };
        config.Validate();
        return config;
    }

    /// <summary>The same decoder with every feed-forward block replaced by a Mixture-of-Experts layer in the manner of Mixtral.</summary>
    /// <param name="experts">Number of routed experts E.</param>
    /// <param name="expertsPerToken">Number of experts k that each token visits; at most <paramref name="experts"/>.</param>
    /// <param name="intermediateSize">Intermediate size of one expert; by default that of the dense block.</param>
    /// <exception cref="ArgumentException">A size is not positive, or k is larger than E.</exception>
    public ModelConfig MixtureOfExperts(int experts, int expertsPerToken, int? intermediateSize = null)
    {
        var config = this with
        {
            ModelType = "mixtral",
            IntermediateSize = 0,
            MoeLayers = [.. Enumerable.Repeat(true, LayerCount)],
            Moe = new(experts, expertsPerToken, intermediateSize ?? IntermediateSize) { NormalizeWeights = true },
        };
        config.Validate();
        return config;
    }

    /// <summary>Checks that the sizes are positive and fit together.</summary>
    /// <exception cref="ArgumentException">They do not; the message names the property, its value and what is allowed.</exception>
    public void Validate()
    {
        Positive(HiddenSize, nameof(HiddenSize));
        Positive(VocabularySize, nameof(VocabularySize));
        Positive(LayerCount, nameof(LayerCount));
        Positive(Attention.HeadCount, "Attention.HeadCount");
        Positive(Attention.KeyValueHeadCount, "Attention.KeyValueHeadCount");
        Positive(Attention.HeadSize, "Attention.HeadSize");
        Require(Attention.HeadCount % Attention.KeyValueHeadCount == 0,
            $"Attention.HeadCount ({Attention.HeadCount}) must be a multiple of Attention.KeyValueHeadCount ({Attention.KeyValueHeadCount}).");
        Require(MoeLayers.Count == LayerCount,
            $"MoeLayers has {MoeLayers.Count} entries but LayerAttention has {LayerCount}: one for each layer is needed.");
        Require(!LayerAttention.Contains(AttentionKind.SlidingWindow) || Attention.SlidingWindow > 0,
            "A layer has sliding-window attention but Attention.SlidingWindow is not a positive number.");
        Require(!LayerAttention.Contains(AttentionKind.Chunked) || Attention.ChunkSize > 0,
            "A layer has attention within chunks but Attention.ChunkSize is not a positive number.");
        Require(!LayerAttention.Contains(AttentionKind.Latent) || LatentAttention is not null,
            "A layer has latent attention but LatentAttention is null.");
        Require(!LayerAttention.Contains(AttentionKind.Linear) || LinearAttention is not null,
            "A layer has linear attention but LinearAttention is null.");
        if (MoeLayers.Contains(false) || Encoder?.MoeLayers.Contains(false) == true)
            Positive(IntermediateSize, nameof(IntermediateSize));
        if (Moe is null)
        {
            Require(!MoeLayers.Contains(true) && Encoder?.MoeLayers.Contains(true) != true, "A layer is a Mixture-of-Experts layer but Moe is null.");
            return;
        }

        Positive(Moe.ExpertCount, "Moe.ExpertCount");
        Positive(Moe.ExpertsPerToken, "Moe.ExpertsPerToken");
        Positive(Moe.IntermediateSize, "Moe.IntermediateSize");
        Require(Moe.ExpertsPerToken <= Moe.ExpertCount,
            $"Moe.ExpertsPerToken ({Moe.ExpertsPerToken}) must not exceed Moe.ExpertCount ({Moe.ExpertCount}).");
        Require(Moe.GroupCount > 0 && Moe.ExpertCount % Moe.GroupCount == 0,
            $"Moe.ExpertCount ({Moe.ExpertCount}) must be a multiple of Moe.GroupCount ({Moe.GroupCount}).");
        Require(Moe.GroupsPerToken > 0 && Moe.GroupsPerToken <= Moe.GroupCount,
            $"Moe.GroupsPerToken ({Moe.GroupsPerToken}) must be from 1 to Moe.GroupCount ({Moe.GroupCount}).");
        Require(Moe.ExpertsPerToken <= (long)Moe.ExpertCount / Moe.GroupCount * Moe.GroupsPerToken,
            $"Moe.ExpertsPerToken ({Moe.ExpertsPerToken}) must not exceed the experts in {Moe.GroupsPerToken} of {Moe.GroupCount} groups.");
    }

    private static void Positive(int value, string name) => Require(value > 0, $"{name} is {value}; it must be at least 1.");

    private static void Require(bool condition, string message)
    {
        if (!condition) throw new ArgumentException(message);
    }
}
