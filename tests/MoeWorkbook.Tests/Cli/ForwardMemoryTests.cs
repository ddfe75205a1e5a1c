using System.Text.Json.Nodes;

namespace MoeWorkbook.Tests.Cli;

[Trait("Category", "Slow")]
public sealed class ForwardMemoryTests
{
    private static readonly string _golden = Path.Combine(AppContext.BaseDirectory, "Golden");

    [Theory]
    [InlineData("llama-tiny")]
    [InlineData("deepseek-v3-tiny")] // latent attention
    [InlineData("gpt-oss-tiny")] // windows and sinks
    public async Task Memory_grows_with_the_tokens_and_not_with_their_square(string model)
    {
        const int tokens = 8000; // the logits of attention alone would be 4 heads · 8000² · 4 bytes = 1 GB
        var (code, output, errors, few) = await Workbook.RunAsync("logits", Path.Combine(_golden, model), "--tokens", "1,2,3,4");
        Assert.True(code == 0, errors);
        (code, output, errors, var many) = await Workbook.RunAsync("logits", Path.Combine(_golden, model), "--tokens", string.Join(',', Enumerable.Repeat(5, tokens)));
        Assert.True(code == 0, errors);
        Assert.Contains($" {tokens - 1} ", output, StringComparison.Ordinal);
        Assert.True(many - few < 600_000_000, $"{few:N0} bytes for 4 tokens but {many:N0} for {tokens}");
    }

    [Fact]
    public async Task What_cannot_fit_into_memory_is_refused_before_it_is_begun()
    {
        using var directory = new TemporaryDirectory();
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(_golden, "llama-tiny", "config.json")))!;
        config["vocab_size"] = int.MaxValue; // 550 GB of embeddings, and 9 GB of logits for each token
        File.WriteAllText(directory.Path("config.json"), config.ToJsonString());
        var (code, output, errors, _) = await Workbook.RunAsync("logits", directory.Root, "--tokens", "1,2,3");
        Assert.Equal((1, ""), (code, output));
        Assert.Matches(@"^workbook: .*: 3 tokens need at least [0-9.]+ GB of memory with this model, and there are [0-9.]+ GB\.\n$", errors.ReplaceLineEndings("\n"));
    }
}
