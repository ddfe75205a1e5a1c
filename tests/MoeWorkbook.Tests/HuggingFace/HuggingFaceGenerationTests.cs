using MoeWorkbook.Tests.Cli;

namespace MoeWorkbook.Tests.HuggingFace;

public sealed class HuggingFaceGenerationTests : IDisposable
{
    private readonly TemporaryDirectory _temporary = new();

    public void Dispose() => _temporary.Dispose();

    [Theory]
    [InlineData("""{"eos_token_id":5}""", null, new long[] { 5 })]
    [InlineData("""{"eos_token_id":[5,6]}""", """{}""", new long[] { 5, 6 })]
    [InlineData("""{"eos_token_id":5}""", """{"eos_token_id":[7,8]}""", new long[] { 7, 8 })]
    [InlineData("""{"eos_token_id":5}""", """{"eos_token_id":null}""", new long[] { 5 })]
    [InlineData("""{}""", """{"eos_token_id":7}""", new long[] { 7 })]
    [InlineData("""{"eos_token_id":null}""", null, new long[0])]
    [InlineData("""{"model_type":"qwen3_5_moe","text_config":{"eos_token_id":5}}""", null, new long[] { 5 })]
    [InlineData("""{"model_type":"qwen3_5_moe","eos_token_id":6,"text_config":{"eos_token_id":5}}""", null, new long[] { 6 })]
    [InlineData("""{"model_type":"llama","text_config":{"eos_token_id":5}}""", null, new long[0])]
    public void The_generation_config_says_where_a_text_ends_and_else_the_model(string config, string? generation, long[] stops) =>
        Assert.Equal(stops, Read(config, generation).StopTokens);

    [Theory]
    [InlineData("""{"do_sample":true,"temperature":0.6,"top_k":20,"top_p":0.95}""", 0.6, 20, 0.95)]
    [InlineData("""{"do_sample":true}""", 1.0, null, null)]
    [InlineData("""{"do_sample":true,"top_k":0,"top_p":1.0}""", 1.0, null, null)]
    [InlineData("""{"do_sample":false,"temperature":0.6}""", 0.0, null, null)]
    [InlineData("""{"temperature":0.6,"top_k":20}""", 0.0, 20, null)]
    [InlineData("""{"max_length":4096,"transformers_version":"4.57.0","do_sample":null}""", 0.0, null, null)]
    public void The_generation_config_says_how_tokens_are_picked(string generation, double temperature, int? topK, double? topP)
    {
        var options = Read("{}", generation);
        Assert.Equal((temperature, topK, topP), (options.Temperature, options.TopK, options.TopP));
    }

    [Theory]
    [InlineData("""{"eos_token_id":[6.0]}""", "\"eos_token_id\" is [6.0]; it must be a token id")]
    [InlineData("""{"eos_token_id":6.5}""", "\"eos_token_id\" is 6.5; it must be a token id")]
    [InlineData("""{"eos_token_id":-1}""", "\"eos_token_id\" is -1; it must be a token id")]
    [InlineData("""{"eos_token_id":"</s>"}""", "\"eos_token_id\" is \"</s>\"")]
    [InlineData("""{"eos_token_id":[[6]]}""", "\"eos_token_id\" is [[6]]")]
    [InlineData("""{"temperature":"hot"}""", "\"temperature\" is \"hot\"; it must be a number")]
    [InlineData("""{"temperature":-1}""", "\"temperature\" is -1; it must be at least 0")]
    [InlineData("""{"temperature":NaN}""", "\"temperature\" is \"NaN\"; it must be a number")]
    [InlineData("""{"top_k":-1}""", "\"top_k\" is -1")]
    [InlineData("""{"top_k":2.5}""", "\"top_k\" is 2.5")]
    [InlineData("""{"top_p":1.5}""", "\"top_p\" is 1.5; it must be above 0 and at most 1")]
    [InlineData("""{"do_sample":"yes"}""", "\"do_sample\" is \"yes\"; it must be true or false")]
    [InlineData("""[1]""", "must hold one JSON object")]
    [InlineData("""{"top_k":1,}""", "trailing comma")]
    public void Contents_that_make_no_sense_are_named(string generation, string message)
    {
        var error = Assert.Throws<ModelConfigException>(() => Read("{}", generation)).Message;
        Assert.Contains(message, error, StringComparison.Ordinal);
        Assert.Contains("generation_config.json", error, StringComparison.Ordinal);
        Assert.DoesNotContain("reader options", error, StringComparison.Ordinal);
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task The_program_stops_where_the_generation_config_says()
    {
        var (code, output, errors, _) = await Workbook.RunAsync("generate", Path.Combine(AppContext.BaseDirectory, "Golden", "eos-only-genconfig"), "--tokens", "3", "--max-tokens", "12");
        Assert.Equal((0, "4 5 6 \n", ""), (code, output, errors));
    }

    [Fact]
    [Trait("Category", "Slow")]
    public async Task Options_on_the_command_line_win()
    {
        foreach (var file in Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Golden", "eos-only-genconfig"))) File.Copy(file, _temporary.Path(Path.GetFileName(file)));
        File.WriteAllText(_temporary.Path("generation_config.json"), """{"eos_token_id":6,"do_sample":true,"temperature":100.0}""");
        string[] command = ["generate", _temporary.Root, "--tokens", "3", "--max-tokens", "12"];
        Assert.Equal("4 5 6 \n", (await Workbook.RunAsync([.. command, "--temperature", "0"])).Output);
        Assert.Equal("4 5 6 \n", (await Workbook.RunAsync([.. command, "--top-k", "1"])).Output);
        Assert.NotEqual("4 5 6 \n", (await Workbook.RunAsync(command)).Output);
    }

    private GenerationOptions Read(string config, string? generation)
    {
        File.WriteAllText(_temporary.Path("config.json"), config);
        if (generation is not null) File.WriteAllText(_temporary.Path("generation_config.json"), generation);
        return HuggingFaceGeneration.Read(_temporary.Root, 12);
    }
}
