namespace MoeWorkbook.Tests.HuggingFace;

public sealed class HuggingFaceConfigTests
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
    [InlineData("\"vocab_size\":64", "\"vocab_size\":64,\"vocab_size\":65", "\"vocab_size\" stands twice, as 64 and as 65")]
    [InlineData("{", "[{", "not valid JSON")]
    [InlineData("\"num_experts_per_tok\":2}", "\"num_experts_per_tok\":2,}", "not valid JSON: The JSON object contains a trailing comma")]
    [InlineData("\"vocab_size\":64", "\"vocab_size\":Infinity", "\"vocab_size\" is \"Infinity\"; it must be a whole number")]
    [InlineData("\"vocab_size\":64", "\"vocab_size\":64,\"rope_theta\":NaN", "\"rope_theta\" is \"NaN\"; it must be a number")]
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
        var json = """
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
        var json = Mixtral.Replace("\"mixtral\"", $"\"{type}\",\"moe_intermediate_size\":8,{keys}", StringComparison.Ordinal);
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

    private const string Llama = """
        {"model_type":"llama","hidden_size":32,"intermediate_size":48,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"vocab_size":64
        """;

    [Theory]
    [InlineData("\"architectures\":[\"LlamaForCausalLMEagle3\"],\"draft_vocab_size\":32", "\"architectures\" names \"LlamaForCausalLMEagle3\"; of the type llama only LlamaForCausalLM")]
    [InlineData("\"architectures\":[\"LlamaForSequenceClassification\"],\"num_labels\":3", "\"architectures\" names")]
    [InlineData("\"architectures\":[\"MistralForCausalLM\"]", "\"architectures\" names")]
    [InlineData("\"architectures\":[\"LlamaForCausalLM\",\"LlamaModel\"]", "\"architectures\" names \"LlamaModel\"")]
    [InlineData("\"num_labels\":3", "\"num_labels\" makes the model a classifier")]
    [InlineData("\"id2label\":{\"0\":\"a\",\"1\":\"b\",\"2\":\"c\"}", "\"id2label\" makes the model a classifier")]
    [InlineData("\"draft_vocab_size\":32", "\"draft_vocab_size\" is 32, which is not understood here")]
    [InlineData("\"per_layer_config\":{\"1\":{\"intermediate_size\":16}}", "\"per_layer_config\"")]
    [InlineData("\"block_configs\":[{\"attention\":{\"no_op\":true}}]", "\"block_configs\"")]
    [InlineData("\"num_experts\":8", "\"num_experts\" is 8")]
    [InlineData("\"q_lora_rank\":8", "\"q_lora_rank\" is 8")]
    [InlineData("\"lora_rank\":8", "\"lora_rank\" is 8")]
    [InlineData("\"target_modules\":[\"q_proj\"]", "\"target_modules\" is [\"q_proj\"]")]
    [InlineData("\"pruned_heads\":{\"0\":[1]}", "\"pruned_heads\"")]
    [InlineData("\"add_cross_attention\":true", "\"add_cross_attention\" is true")]
    [InlineData("\"num_kv_shared_layers\":1", "\"num_kv_shared_layers\" is 1")]
    [InlineData("\"hidden_size_per_layer_input\":16", "\"hidden_size_per_layer_input\" is 16")]
    [InlineData("\"sliding_window\":16", "\"sliding_window\" is 16")]
    [InlineData("\"attention_chunk_size\":16", "\"attention_chunk_size\" is 16")]
    [InlineData("\"embedding_multiplier\":12.0", "\"embedding_multiplier\" is 12.0")]
    [InlineData("\"final_logit_softcapping\":30.0", "\"final_logit_softcapping\" is 30.0")]
    [InlineData("\"text_config\":{\"hidden_size\":8}", "\"text_config\"")]
    [InlineData("\"layer_types\":[\"full_attention\",\"sliding_attention\"]", "\"layer_types\" has \"sliding_attention\" for layer 1")]
    [InlineData("\"layer_types\":[\"full_attention\"]", "\"layer_types\" has 1 entries")]
    [InlineData("\"mlp_layer_types\":[\"dense\",\"sparse\"]", "\"mlp_layer_types\" has \"sparse\" for layer 1")]
    [InlineData("\"rope_scaling\":{\"rope_type\":\"linear\",\"factor\":2,\"per_head_scale\":3}", "\"rope_scaling.per_head_scale\" is 3")]
    public void A_key_that_could_change_the_structure_and_is_not_understood_is_named(string keys, string message) =>
        Assert.Contains(message, Assert.Throws<ModelConfigException>(() => HuggingFaceConfig.Parse($"{Llama},{keys}}}")).Message, StringComparison.Ordinal);

    [Fact]
    public void What_published_files_say_besides_changes_nothing()
    {
        string[] keys =
        [
            "\"architectures\":[\"LlamaForCausalLM\"]", "\"architectures\":null", "\"architectures\":[]", "\"num_labels\":2,\"id2label\":{\"0\":\"LABEL_0\",\"1\":\"LABEL_1\"}",
            "\"attention_dropout\":0.1", "\"initializer_range\":0.01", "\"pretraining_tp\":2", "\"use_cache\":true", "\"torch_dtype\":\"bfloat16\"", "\"kv_cache_dtype\":\"fp8\"",
            "\"_attn_implementation\":\"sdpa\"", "\"attn_implementation\":\"flash_attention_2\"", "\"router_aux_loss_coef\":0.01", "\"output_router_logits\":true",
            "\"bos_token_id\":1,\"eos_token_id\":[2,3],\"image_token_index\":5", "\"vision_config\":{\"hidden_size\":8}", "\"mm_hidden_size\":1024", "\"num_nextn_predict_layers\":1,\"mtp_num_hidden_layers\":1",
            "\"quantization_config\":{\"quant_method\":\"gptq\",\"bits\":4,\"group_size\":128}", "\"quantization\":{\"group_size\":64,\"bits\":4}", "\"chunk_size_feed_forward\":1",
            "\"top_k\":50,\"num_beams\":1,\"num_return_sequences\":1", "\"layer_types\":[\"full_attention\",\"full_attention\"]", "\"per_layer_config\":{}", "\"num_experts\":0", "\"q_lora_rank\":null",
            "\"time_step_limit\":[0.0,Infinity]", "\"comment\":1,\"comment\":2", "\"original_max_position_embeddings\":4096", "\"layer_norm_eps\":1e-5", "\"base_model_tp_plan\":{\"layers\":\"x\"}",
            "\"sliding_window\":4096,\"use_sliding_window\":false,\"max_window_layers\":28", "\"transformers.js_config\":{\"kv_cache_dtype\":\"fp16\"},\"is_llama_config\":true",
        ];
        var plain = ParameterCount.Of(HuggingFaceConfig.Parse(Llama + "}")).TotalParameters;
        foreach (var key in keys) Assert.Equal(plain, ParameterCount.Of(HuggingFaceConfig.Parse($"{Llama},{key}}}")).TotalParameters);
    }

    [Theory]
    [InlineData("\"num_experts_per_tok\":2", "\"num_experts_per_tok\":2,\"num_experts\":8", "\"num_local_experts\" is 4, but \"num_experts\", which means the same, is 8")]
    [InlineData("\"vocab_size\":64", "\"vocab_size\":64,\"layer_types\":[\"full_attention\",\"sliding_attention\"]", "\"layer_types\"")]
    public void Two_keys_that_say_the_same_must_agree(string part, string replacement, string message) =>
        Assert.Contains(message, Assert.Throws<ModelConfigException>(() => HuggingFaceConfig.Parse(Mixtral.Replace(part, replacement,
            StringComparison.Ordinal))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("\"attention_dropout\":0.1", "\"attention_dropout\" is 0.1, which nothing here follows in training")]
    [InlineData("\"router_jitter_noise\":0.01", "\"router_jitter_noise\"")]
    [InlineData("\"router_z_loss_coef\":0.001", "\"router_z_loss_coef\"")]
    [InlineData("\"initializer_range\":0.5", "\"initializer_range\"")]
    public void A_key_for_training_that_nothing_follows_is_refused_where_a_model_is_trained(string key, string message)
    {
        HuggingFaceConfig.Parse($"{Llama},{key}}}");
        Assert.Contains(message,
            Assert.Throws<ModelConfigException>(() => HuggingFaceConfig.Parse($"{Llama},{key}}}", forTraining: true)).Message, StringComparison.Ordinal);
        HuggingFaceConfig.Parse($"{Llama},\"attention_dropout\":0.0,\"initializer_range\":0.02}}", forTraining: true);
    }

    [Theory]
    [InlineData("\"rope_type\":\"yarn\",\"factor\":4", 64)]
    [InlineData("\"rope_type\":\"llama3\",\"factor\":8", 64)]
    [InlineData("\"rope_type\":\"yarn\",\"factor\":4,\"original_max_position_embeddings\":16", 16)]
    [InlineData("\"rope_type\":\"linear\",\"factor\":2", null)] // does not depend on it
    public void A_scaling_that_needs_the_context_of_pre_training_takes_the_longest_one_where_the_file_does_not_say(string scaling, int? original) =>
        Assert.Equal(original, HuggingFaceConfig.Parse($"{Llama},\"max_position_embeddings\":64,\"rope_scaling\":{{{scaling}}}}}").Rotary!.Scaling!.OriginalMaxPositions);

    [Fact]
    public void An_unknown_type_is_the_reason_even_where_a_file_has_infinities_and_keys_twice()
    {
        var error = Assert.Throws<ModelConfigException>(() => HuggingFaceConfig.Parse("""{"time_step_limit":[0.0,Infinity],"x":-Infinity,"x":NaN,"note":"NaN, \"Infinity\"","model_type":"mamba2"}"""));
        Assert.Contains("\"model_type\" is \"mamba2\"; known are", error.Message, StringComparison.Ordinal);
    }

    private const string Qwen35 = """
        "hidden_size":32,"num_hidden_layers":4,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":16,"vocab_size":64,"num_experts":6,"num_experts_per_tok":3,
        "moe_intermediate_size":24,"shared_expert_intermediate_size":40,"linear_num_key_heads":2,"linear_num_value_heads":4,"linear_key_head_dim":8,"linear_value_head_dim":8,"linear_conv_kernel_dim":4
        """;

    [Theory]
    [InlineData("", "", false)]
    [InlineData("\"tie_word_embeddings\":true,", "", true)]
    [InlineData("", ",\"tie_word_embeddings\":true", true)]
    [InlineData("\"tie_word_embeddings\":true,", ",\"tie_word_embeddings\":true", true)]
    [InlineData("\"tie_word_embeddings\":null,", ",\"tie_word_embeddings\":true", true)]
    [InlineData("\"vocab_size\":64,", ",\"model_type\":\"qwen3_5_moe_text\"", false)]
    [InlineData("\"architectures\":[\"Qwen3_5MoeForConditionalGeneration\"],", ",\"architectures\":[\"Qwen3_5MoeForCausalLM\"]", false)]
    public void A_wrapped_model_is_read_whatever_side_says_what(string outside, string inside, bool tied)
    {
        var config = HuggingFaceConfig.Parse($"{{\"model_type\":\"qwen3_5_moe\",{outside}\"text_config\":{{{Qwen35}{inside}}},\"vision_config\":{{\"depth\":2,\"hidden_size\":8}}}}");
        Assert.Equal("qwen3_5_moe", config.ModelType);
        Assert.Equal(tied, config.TiedEmbeddings);
    }

    [Theory]
    [InlineData("\"tie_word_embeddings\":false,", ",\"tie_word_embeddings\":true", "\"text_config.tie_word_embeddings\" is true but \"tie_word_embeddings\" is false")]
    [InlineData("\"vocab_size\":65,", "", "\"vocab_size\" is 65")]
    [InlineData("", ",\"model_type\":\"llama\"", "\"text_config.model_type\" is \"llama\"; in a qwen3_5_moe it must be qwen3_5_moe_text")]
    [InlineData("", ",\"architectures\":[\"Qwen3_5MoeForSequenceClassification\"]", "\"text_config.architectures\" names")]
    [InlineData("", ",\"draft_vocab_size\":8", "\"text_config.draft_vocab_size\" is 8")]
    [InlineData("\"draft_vocab_size\":8,", "", "\"draft_vocab_size\" is 8")]
    public void A_wrapper_that_contradicts_its_model_is_an_error(string outside, string inside, string message) =>
        Assert.Contains(message, Assert.Throws<ModelConfigException>(() =>
            HuggingFaceConfig.Parse($"{{\"model_type\":\"qwen3_5_moe\",{outside}\"text_config\":{{{Qwen35}{inside}}}}}")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("", "CCCFCCCF")]
    [InlineData(",\"no_rope_layer_interval\":2", "CFCFCFCF")]
    [InlineData(",\"no_rope_layers\":[1,1,1,1,1,1,1,0]", "CCCCCCCF")]
    [InlineData(",\"no_rope_layers\":[]", "CCCFCCCF")]
    [InlineData(",\"attention_chunk_size\":null", "FFFFFFFF")]
    public void Llama_4_attends_within_chunks_where_it_has_a_rotary_embedding(string keys, string layers)
    {
        var config = HuggingFaceConfig.Parse("""
            {"model_type":"llama4_text","hidden_size":32,"intermediate_size":8,"intermediate_size_mlp":16,"num_hidden_layers":8,"num_attention_heads":4,
             "num_key_value_heads":2,"vocab_size":64,"num_local_experts":4,"num_experts_per_tok":1
            """ + keys + "}");
        Assert.Equal(layers, string.Concat(config.LayerAttention.Select(kind => kind == AttentionKind.Chunked ? 'C' : kind == AttentionKind.Full ? 'F' : '?')));
    }
}
