using System.CommandLine;
using System.Text.Json;
using static TorchSharp.torch;

namespace MoeWorkbook.Cli;

/// <summary><c>generate</c>: a checkpoint continues a prompt, token after token.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var directory = new Argument<string>("directory") { Description = "A Hugging Face directory: config.json, safetensors files, and for text a byte-level tokenizer.json." };
        var prompt = new Option<string?>("--prompt") { Description = "The text to continue." };
        var tokens = new Option<string?>("--tokens") { Description = "The token ids to continue, instead of text, as in \"1,2,3\"; ids are printed." };
        var most = NumberOption.Whole("--max-tokens", "The most tokens to add.", 64);
        var temperature = NumberOption.Real<double>("--temperature", "0 always takes the likeliest token; higher is more random.", 0, 100);
        var topK = NumberOption.OptionalWhole<int?>("--top-k", "Only this many likeliest tokens are candidates.");
        var topP = NumberOption.Real<double?>("--top-p", "Only the likeliest tokens whose probabilities sum to this are candidates.", 0, 1);
        var seed = NumberOption.OptionalWhole<int>("--seed", "The seed of the draws.", least: 0);
        var command = new Command("generate", "Continue a prompt with a checkpoint.") { directory, prompt, tokens, most, temperature, topK, topP, seed };
        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(prompt) is null == parsed.GetValue(tokens) is null) throw new UsageException("Give either --prompt or --tokens.", command);
            string folder = parsed.GetValue(directory)!;
            var options = new GenerationOptions(parsed.GetValue(most))
            {
                Temperature = parsed.GetValue(temperature),
                TopK = parsed.GetValue(topK),
                TopP = parsed.GetValue(topP),
                Seed = parsed.GetValue(seed),
            };
            Generate(folder, parsed.GetValue(prompt), parsed.GetValue(tokens), options, cancellation);
            return Task.FromResult(0);
        });
        return command;
    }

    private static void Generate(string folder, string? text, string? ids, GenerationOptions options, CancellationToken cancellation)
    {
        var tokenizer = text is null ? null : Tokenizer.Load(Path.Combine(folder, "tokenizer.json"));
        long[] prompt = tokenizer is null ? TokenList.Parse(ids!) : [.. tokenizer.Encode(text!).Select(id => (long)id)];
        using var model = HuggingFaceDirectory.Load(folder, ComputeDevice.Current, ScalarType.Float32);
        Stream output = StandardOutput.Bytes;
        try
        {
            model.Generate(prompt, options with { StopTokens = StopTokens(folder) }, Show, cancellation);
        }
        catch (ArgumentException e)
        {
            throw new CommandException(e.Message);
        }

        output.Write("\n"u8);

        // Bytes, not characters: a character may be spread over several tokens.
        void Show(long token)
        {
            output.Write(tokenizer is null ? System.Text.Encoding.UTF8.GetBytes($"{token} ") : tokenizer.BytesOf((int)token).Span);
            output.Flush();
        }
    }

    private static long[] StopTokens(string folder)
    {
        using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "config.json")));
        if (!config.RootElement.TryGetProperty("eos_token_id", out var end)) return [];
        return end.ValueKind switch
        {
            JsonValueKind.Number when end.TryGetInt64(out long id) => [id],
            JsonValueKind.Array => [.. end.EnumerateArray().Where(e => e.ValueKind == JsonValueKind.Number).Select(e => e.GetInt64())],
            _ => [],
        };
    }
}
