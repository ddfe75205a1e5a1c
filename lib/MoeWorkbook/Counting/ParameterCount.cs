using System.Collections.ObjectModel;

namespace MoeWorkbook;

/// <summary>The exact number of parameters of an architecture, in total and active for one token, by component.</summary>
/// <remarks>Counted is the main model: no multi-token-prediction heads, no vision towers; a tied matrix once; selection biases of a router included; both
/// stacks of an encoder-decoder.</remarks>
public sealed class ParameterCount
{
    private static readonly ModelComponent[] _components = Enum.GetValues<ModelComponent>();
    private readonly long[] _total = new long[_components.Length];
    private readonly long[] _active = new long[_components.Length];
    private readonly bool _tied;

    private ParameterCount(ModelConfig config)
    {
        _tied = config.TiedEmbeddings;
        checked
        {
            long hidden = config.HiddenSize, embedding = config.VocabularySize * hidden;
            Add(ModelComponent.Embeddings, embedding);
            if (!config.TiedEmbeddings) Add(ModelComponent.Head, embedding);
            if (config.HeadBias) Add(ModelComponent.Head, config.VocabularySize);

            for (var layer = 0; layer < config.LayerCount; layer++)
            {
                AddAttention(config, config.LayerAttention[layer]);
                AddFeedForward(config, config.MoeLayers[layer]);
                Add(ModelComponent.Norms, config.Norm.PerLayer * NormSize(config));
            }

            Add(ModelComponent.Norms, NormSize(config));
            if (config.Encoder is { } encoder) AddEncoder(config, encoder);
        }
    }

    /// <summary>Counts the parameters of an architecture.</summary>
    /// <exception cref="ArgumentException">The sizes contradict each other; see <see cref="ModelConfig.Validate"/>.</exception>
    /// <exception cref="OverflowException">A count does not fit into 64 bits.</exception>
    public static ParameterCount Of(ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        try
        {
            return new ParameterCount(config);
        }
        catch (OverflowException e)
        {
            throw new OverflowException("The model has more parameters than a 64-bit number can hold (9.2·10¹⁸).", e);
        }
    }

    /// <summary>All parameters: what must be held in memory.</summary>
    public long TotalParameters => Sum(_total);

    /// <summary>Active parameters all-in: every parameter touched for one token, both embedding matrices included.</summary>
    public long ActiveParameters => Active(ActiveConvention.AllIn);

    /// <summary>All parameters by component; components that the model lacks have 0.</summary>
    public ReadOnlyDictionary<ModelComponent, long> TotalByComponent => ByComponent(_total);

    /// <summary>Active parameters (all-in) by component.</summary>
    public ReadOnlyDictionary<ModelComponent, long> ActiveByComponent => ByComponent(_active);

    /// <summary>Active parameters under a convention.</summary>
    /// <param name="convention">Which matrices are left out: a tied one once, and a head's bias never.</param>
    public long Active(ActiveConvention convention) => Sum(_active) - convention switch
    {
        ActiveConvention.AllIn => 0,
        ActiveConvention.WithoutInputEmbedding => _active[(int)ModelComponent.Embeddings],
        ActiveConvention.WithoutEmbeddings => checked(_active[(int)ModelComponent.Embeddings] * (_tied ? 1 : 2)),
        _ => throw new ArgumentOutOfRangeException(nameof(convention), convention, "Not a convention."),
    };

    private void AddAttention(ModelConfig config, AttentionKind kind)
    {
        switch (kind)
        {
            case AttentionKind.Latent:
                AddLatentAttention(config.HiddenSize, config.Attention, config.LatentAttention!);
                break;
            case AttentionKind.Linear:
                AddLinearAttention(config.HiddenSize, config.LinearAttention!);
                break;
            default:
                AddGroupedQueryAttention(config.HiddenSize, config.Attention);
                break;
        }
    }

    private void AddGroupedQueryAttention(long hidden, AttentionConfig attention)
    {
        checked
        {
            long queries = (attention.OutputGate ? 2L : 1L) * attention.QueryWidth, keyValues = 2L * attention.KeyValueWidth;
            Add(ModelComponent.Attention, hidden * (queries + keyValues) + attention.QueryWidth * hidden);
            if (attention.QueryKeyValueBias) Add(ModelComponent.Attention, queries + keyValues);
            if (attention.OutputBias) Add(ModelComponent.Attention, hidden);
            if (attention.Sinks) Add(ModelComponent.Attention, attention.HeadCount);
            Add(ModelComponent.Norms, attention.QueryKeyNorm switch
            {
                QueryKeyNorm.PerHead => 2L * attention.HeadSize,
                QueryKeyNorm.FullWidth => attention.QueryWidth + attention.KeyValueWidth,
                _ => 0,
            });
        }
    }

    private void AddLatentAttention(long hidden, AttentionConfig attention, LatentAttentionConfig latent)
    {
        checked
        {
            var queryWidth = (long)attention.HeadCount * latent.QueryHeadSize;
            if (latent.QueryRank is { } rank)
            {
                Add(ModelComponent.Attention, hidden * rank + rank * queryWidth + (attention.QueryKeyValueBias ? rank : 0));
                Add(ModelComponent.Norms, rank);
            }
            else
            {
                Add(ModelComponent.Attention, hidden * queryWidth);
            }

            long down = latent.KeyValueRank + latent.RotaryHeadSize;
            var up = (long)attention.HeadCount * (latent.NopeHeadSize + latent.ValueHeadSize);
            Add(ModelComponent.Attention, hidden * down + (attention.QueryKeyValueBias ? down : 0));
            Add(ModelComponent.Norms, latent.KeyValueRank);
            Add(ModelComponent.Attention, latent.KeyValueRank * up);
            Add(ModelComponent.Attention, (long)attention.HeadCount * latent.ValueHeadSize * hidden + (attention.OutputBias ? hidden : 0));
        }
    }

    private void AddLinearAttention(long hidden, LinearAttentionConfig linear)
    {
        checked
        {
            // Queries, keys, values and the output gate; then β and the decay's input, one of each a value head.
            Add(ModelComponent.Attention, hidden * (2L * linear.KeyWidth + 2L * linear.ValueWidth));
            Add(ModelComponent.Attention, hidden * 2L * linear.ValueHeads);
            Add(ModelComponent.Attention, (long)linear.ConvolutionWidth * linear.ConvolutionKernel);
            // A_log and dt_bias.
            Add(ModelComponent.Attention, 2L * linear.ValueHeads);
            Add(ModelComponent.Attention, linear.ValueWidth * hidden);
            Add(ModelComponent.Norms, linear.ValueHeadSize);
        }
    }

    private void AddFeedForward(ModelConfig config, bool isMoe)
    {
        checked
        {
            long hidden = config.HiddenSize;
            if (!isMoe)
            {
                Add(ModelComponent.DenseFeedForward, BlockSize(config, config.IntermediateSize, config.FeedForwardBias));
                return;
            }

            var moe = config.Moe!;
            Add(ModelComponent.Router, moe.ExpertCount * (hidden + (moe.RouterBias ? 1 : 0) + (moe.SelectionBias ? 1 : 0)));
            var expert = BlockSize(config, moe.IntermediateSize, moe.ExpertBias);
            Add(ModelComponent.RoutedExperts, moe.ExpertCount * expert, moe.ExpertsPerToken * expert);
            if (moe.SharedIntermediateSize > 0)
                Add(ModelComponent.SharedExperts, BlockSize(config, moe.SharedIntermediateSize, bias: false) + (moe.SharedExpertGate ? hidden : 0));
        }
    }

    private void AddEncoder(ModelConfig config, EncoderConfig encoder)
    {
        checked
        {
            for (var layer = 0; layer < encoder.LayerCount; layer++)
            {
                AddAttention(config, AttentionKind.Full);
                AddFeedForward(config, encoder.MoeLayers[layer]);
                Add(ModelComponent.Norms, 2 * NormSize(config));
            }

            Add(ModelComponent.Norms, NormSize(config));
            // Cross-attention, with a norm of its own, in each decoder layer.
            for (var layer = 0; layer < config.LayerCount; layer++)
            {
                AddAttention(config, AttentionKind.Full);
                Add(ModelComponent.Norms, NormSize(config));
            }

            Add(ModelComponent.Attention, 2L * encoder.RelativePositionBuckets * config.Attention.HeadCount);
        }
    }

    /// <summary>Parameters of one feed-forward block or expert: three matrices, or two without a gate.</summary>
    private static long BlockSize(ModelConfig config, long size, bool bias)
    {
        long inputs = config.FeedForward.IsGated() ? 2 : 1;
        return checked((inputs + 1) * config.HiddenSize * size + (bias ? inputs * size + config.HiddenSize : 0));
    }

    private static long NormSize(ModelConfig config) => (config.Norm.Bias ? 2L : 1L) * config.HiddenSize;

    private void Add(ModelComponent component, long parameters) => Add(component, parameters, parameters);

    private void Add(ModelComponent component, long parameters, long touched)
    {
        checked
        {
            _total[(int)component] += parameters;
            _active[(int)component] += touched;
        }
    }

    private static long Sum(long[] counts) => counts.Aggregate(0L, (sum, count) => checked(sum + count));

    private static ReadOnlyDictionary<ModelComponent, long> ByComponent(long[] counts) =>
        new(_components.ToDictionary(component => component, component => counts[(int)component]));
}
