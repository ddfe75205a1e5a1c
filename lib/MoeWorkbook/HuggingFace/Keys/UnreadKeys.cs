using System.Text.Json;
using System.Text.RegularExpressions;

namespace MoeWorkbook;

/// <summary>The rule for the keys of a <c>config.json</c> that no reader asked for.</summary>
/// <remarks>
/// Published files hold many keys that do not concern what is counted or computed, so not each unknown one can be an error. One is, if all of this holds:
/// its value says something (it is not null, false, 0, "" or empty); its name has a word for a part or a size of a model (<see cref="StructureWord"/>);
/// and it is not known to be harmless (<see cref="_harmless"/>, <see cref="_training"/>). In a file from which a model is trained, a key of
/// <see cref="_training"/> is an error too:
/// what is stated acts or is refused.
/// </remarks>
internal static partial class UnreadKeys
{
    /// <summary>Names that change neither shapes nor logits, though they sound like it.</summary>
    private static readonly Regex[] _harmless = Patterns(
        @"^_", // notes of the tool that wrote the file
        @"_token(_id|_ids|_index)?$|_tokens$", @"^(top_k|num_beams|num_beam_groups|num_return_sequences|(encoder_)?no_repeat_ngram_size)$", // text generation
        @"^(num_labels|id2label|label2id)$", // a classifier's: see HuggingFaceConfig
        @"dtype$", @"^quantization(_config)?$", // how numbers are stored: loading reads it itself
        @"(attn|attention|experts|kernels)_implementation|flash_attn|^chunk_size_feed_forward$|^use_.*kernels?$", @"cache", // how it is computed
        @"^pretraining_tp$|_plan$|(^|_)(ep|tp|pp)_size$|^tensor_parallel|batch_size$", // on how many machines
        @"^output_(attentions|hidden_states|router_logits|scores|past)$", // what is handed out besides the logits
        @"position_embeddings$|^n_(positions|ctx)$", // how long a text may be
        @"^max_window_layers$", // says nothing without a window
        @"_eps(ilon)?$", // a norm's; the one that counts is read
        @"^is_.*_config$|^(transformers\.js|compression|sparsity)_config$|^auto_map$|^task_specific_params$", // for other programs
        @"^(vision|visual|image|video|audio|speech|media|mm|multi_modal|projector)(_|$)", // the towers of a multimodal model, which are not counted
        @"(^|_)(mtp|nextn)(_|$)"); // multi-token prediction, which is not counted

    /// <summary>Names that only training knows.</summary>
    private static readonly Regex[] _training = Patterns(@"dropout|pdrop$|^drop_path|jitter|label_smoothing|(^|_)(loss|aux)(_|$)|_coef$", @"^initializer_|(^|_)init_(std|range|scale|method)|_std$", @"gradient_checkpointing");

    /// <summary>Checks a file that was read.</summary>
    /// <param name="keys">The keys, after the family's reader.</param>
    /// <param name="forTraining">Whether a model is trained from the file.</param>
    /// <exception cref="ModelConfigException">A key would change the model, or its training, in a way that is not understood here; the message names
    /// it.</exception>
    public static void Check(ConfigKeys keys, bool forTraining)
    {
        foreach (var (place, key, value) in keys.Unread)
        {
            if (SaysNothing(value)) continue;
            if (Matches(_training, key))
            {
                if (forTraining && !IsOurInitialization(key, value))
                    throw place.Error(key, $"is {ConfigKeys.Shown(value)}, which nothing here follows in training; remove it");
            }
            else if (StructureWord().IsMatch(key) && !Matches(_harmless, key))
            {
                throw place.Error(key, $"is {ConfigKeys.Shown(value)}, which is not understood here and could change the model's structure");
            }
        }
    }

    private static bool SaysNothing(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.Number => value.TryGetDouble(out var number) && number == 0,
        JsonValueKind.String => value.ValueEquals(""),
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        _ => false,
    };

    /// <summary>Matrices are drawn with the standard deviation that nearly every file states; see <see cref="ParameterInit"/>.</summary>
    private static bool IsOurInitialization(string key, JsonElement value) =>
        key == "initializer_range" && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var range) && range == 0.02;

    private static bool Matches(Regex[] patterns, string key) => patterns.Any(pattern => pattern.IsMatch(key));

    private static Regex[] Patterns(params string[] patterns) => [.. patterns.Select(pattern => new Regex(pattern, RegexOptions.CultureInvariant))];

    /// <summary>A word for a part or a size of a model, as one of the words of a name.</summary>
    [GeneratedRegex("""
        (^|_)(num|n|sizes?|dims?|ranks?|widths?|depth|heads?|layers?|blocks?|experts?|groups?|kernels?|vocab|hidden|intermediate|ffn?|mlp|feed|moe|routers?|modules?
        |attn|attention|proj|projections?|bias|biases|norms?|layernorms?|tied?|shared?|lora|adapters?|draft|eagle|medusa|patterns?|configs?|kv|q|k|v|qk|qkv
        |embd|emb|embed|embeddings?|encoder|decoder|cross|conv|conv1d|ssm|mamba|rnn|memory|per|pruned|sparse|sparsity|windows?|chunk|residual|gated?|latent
        |positions?|alibi|rope|rotary|multiplier|scale|scaling|softcap|softcapping|parallel|target|hash|loops?|recurrent|recurrence|repeat|schedule)(_|$)
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.CultureInvariant)]
    private static partial Regex StructureWord();
}
