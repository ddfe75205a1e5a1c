namespace MoeWorkbook.Tests.Models;

public class HuggingFaceConfigTests
{
    private const string Mixtral = """
        {"model_type":"mixtral","hidden_size":32,"intermediate_size":48,"num_hidden_layers":2,"num_attention_heads":4,
         "num_key_value_heads":2,"vocab_size":64,"num_local_experts":4,"num_experts_per_tok":2}
        """;

    [Fact]
    public void A_mixtral_is_read_with_the_defaults_of_its_own_code()
    {
        var config = HuggingFaceConfig.Parse(Mixtral);
        Assert.Equal(8, config.Attention.HeadSize);
        Assert.Equal(1e6, config.Rotary!.Base);
        Assert.False(config.TiedEmbeddings);
        Assert.True(config.Moe!.NormalizeWeights);
        Assert.Equal([true, true], config.MoeLayers);
        Assert.Equal([AttentionKind.Full, AttentionKind.Full], config.LayerAttention);
    }

    [Theory]
    [InlineData("\"model_type\":\"mixtral\"", "\"model_type\":\"mamba\"", "\"model_type\" is \"mamba\"; known are dbrx, deepseek")]
    [InlineData("\"model_type\":\"mixtral\",", "", "\"model_type\" is missing")]
    [InlineData("\"num_experts_per_tok\":2", "\"num_experts_per_tok\":5", "\"num_experts_per_tok\" is 5, more than the 4 experts of \"num_local_experts\"")]
    [InlineData("\"num_key_value_heads\":2", "\"num_key_value_heads\":3", "\"num_key_value_heads\" is 3; it must divide \"num_attention_heads\" (4)")]
    [InlineData("\"hidden_size\":32", "\"hidden_size\":-32", "\"hidden_size\" is -32; it must be a whole number from 1")]
    [InlineData("\"hidden_size\":32", "\"hidden_size\":33", "\"hidden_size\" is 33")]
    [InlineData("\"hidden_size\":32", "\"hidden_size\":1e400", "\"hidden_size\" is 1e400; it must be a whole number")]
    [InlineData("\"hidden_size\":32", "\"hidden_size\":9223372036854775807", "\"hidden_size\" is 9223372036854775807")]
    [InlineData("\"hidden_size\":32", "\"hidden_size\":\"32\"", "\"hidden_size\" is \"32\"; it must be a whole number")]
    [InlineData("\"hidden_size\":32,", "", "\"hidden_size\" is missing")]
    [InlineData("\"num_hidden_layers\":2", "\"num_hidden_layers\":2000000000", "\"num_hidden_layers\" is 2000000000")]
    [InlineData("\"num_local_experts\":4", "\"num_local_experts\":0", "\"num_local_experts\" is 0")]
    [InlineData("\"vocab_size\":64", "\"vocab_size\":64,\"vocab_size\":65", "not valid JSON")]
    [InlineData("{", "[{", "not valid JSON")]
    [InlineData("\"vocab_size\":64", "\"vocab_size\":64,\"tie_word_embeddings\":\"no\"", "\"tie_word_embeddings\" is \"no\"; it must be true or false")]
    [InlineData("\"vocab_size\":64", "\"vocab_size\":64,\"rope_theta\":0", "\"rope_theta\" is 0; it must be above 0")]
    [InlineData("\"vocab_size\":64", "\"vocab_size\":64,\"hidden_act\":\"mish\"", "\"hidden_act\" is \"mish\"")]
    [InlineData("\"vocab_size\":64", "\"vocab_size\":64,\"rope_scaling\":{\"type\":\"linear\"}", "\"rope_scaling.factor\" is missing")]
    [InlineData("\"vocab_size\":64", "\"vocab_size\":64,\"rope_parameters\":{\"full_attention\":{\"rope_theta\":1}}", "\"rope_parameters\" describes kinds of layers one by one")]
    public void A_wrong_file_is_an_error_that_names_the_key(string part, string replacement, string message)
    {
        var error = Assert.Throws<ModelConfigException>(() => HuggingFaceConfig.Parse(Mixtral.Replace(part, replacement, StringComparison.Ordinal), "some.json"));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("some.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_named() =>
        Assert.Contains("no-such.json", Assert.Throws<ModelConfigException>(() => HuggingFaceConfig.Read("no-such.json")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("\"n_group\":5", "\"n_group\" is 5")]
    [InlineData("\"n_group\":null", "\"n_group\" is 8")] // what its own code takes, which does not divide 12
    [InlineData("\"n_group\":4,\"topk_group\":5", "\"topk_group\" is 5")]
    [InlineData("\"n_group\":4,\"topk_group\":2,\"scoring_func\":\"tanh\"", "\"scoring_func\" is \"tanh\"; known here: sigmoid, softmax")]
    [InlineData("\"n_group\":4,\"topk_group\":2,\"topk_method\":\"group_limited_greedy\"", "known here: noaux_tc, greedy")]
    [InlineData("\"n_group\":4,\"topk_group\":2,\"topk_method\":\"greedy\"", "\"topk_method\" is \"greedy\", which knows no groups")]
    public void What_deepseeks_router_does_not_know_is_named(string keys, string message)
    {
        string json = """
            {"model_type":"deepseek_v3","hidden_size":32,"intermediate_size":48,"moe_intermediate_size":12,"num_hidden_layers":3,"num_attention_heads":4,
             "vocab_size":64,"n_routed_experts":12,"num_experts_per_tok":3,"kv_lora_rank":16,"qk_nope_head_dim":8,"qk_rope_head_dim":4,"v_head_dim":10,
            """ + keys + "}";
        Assert.Contains(message, Assert.Throws<ModelConfigException>(() => HuggingFaceConfig.Parse(json)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("qwen3", "\"layer_types\":[\"full_attention\",\"sliding_attention\"]", "\"use_sliding_window\" is not true")]
    [InlineData("qwen3_moe", "\"use_sliding_window\":true,\"layer_types\":[\"full_attention\",\"sliding_attention\"]", "all layers of a qwen3_moe model have the window")]
    public void Windows_that_the_family_does_not_have_are_named(string type, string keys, string message)
    {
        string json = Mixtral.Replace("\"mixtral\"", $"\"{type}\",\"moe_intermediate_size\":8,{keys}", StringComparison.Ordinal);
        Assert.Contains(message, Assert.Throws<ModelConfigException>(() => HuggingFaceConfig.Parse(json)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Switch_layers_are_sparse_from_the_second_of_each_step()
    {
        var config = ModelCatalog.Find("switch-base-8").Config;
        Assert.Equal([false, true, false, true, false, true, false, true, false, true, false, true], config.MoeLayers);
        Assert.Equal(config.MoeLayers, config.Encoder!.MoeLayers);
        Assert.DoesNotContain(false, ModelCatalog.Find("switch-c-2048").Config.MoeLayers);
    }

    [Fact]
    public void Every_layer_kind_of_qwen3_next_is_where_the_published_interval_puts_it()
    {
        var config = ModelCatalog.Find("qwen3-next-80b-a3b").Config;
        Assert.Equal(12, config.LayerAttention.Count(kind => kind == AttentionKind.Full));
        Assert.Equal(AttentionKind.Full, config.LayerAttention[3]);
        Assert.Equal(AttentionKind.Linear, config.LayerAttention[0]);
    }

    [Theory]
    [InlineData("mixtral", "mixtral-8x7b")]
    [InlineData("qwen3-30", "qwen3-30b-a3b")]
    [InlineData("nothing", "llama-2-7b, ")]
    public void An_unknown_name_is_answered_with_similar_ones(string asked, string suggested) =>
        Assert.Contains(suggested, Assert.Throws<ModelConfigException>(() => ModelCatalog.Find(asked)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("MIXTRAL-8x7B")]
    [InlineData("mistralai/Mixtral-8x7B-v0.1")]
    public void A_model_is_found_by_its_published_names_too(string name) => Assert.Equal("mixtral-8x7b", ModelCatalog.Find(name).Id);
}
