using System.CommandLine;
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
        var temperature = NumberOption.Real<double?>("--temperature", "0 always takes the likeliest token; higher is more random. By default what generation_config.json says, or else 0.", 0, 100);
        var topK = NumberOption.OptionalWhole<int?>("--top-k", "Only this many likeliest tokens are candidates. By default what generation_config.json says, or else all.");
        var topP = NumberOption.Real<double?>("--top-p", "Only the likeliest tokens whose probabilities sum to this are candidates. By default what generation_config.json says, or else all.", 0, 1);
        var seed = NumberOption.OptionalWhole<int>("--seed", "The seed of the draws.", least: 0);
        var command = new Command("generate", "Continue a prompt with a checkpoint.") { directory, prompt, tokens, most, temperature, topK, topP, seed };
        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(prompt) is null == parsed.GetValue(tokens) is null) throw new UsageException("Give either --prompt or --tokens.", command);
            var folder = parsed.GetValue(directory)!;
            var published = HuggingFaceGeneration.Read(folder, parsed.GetValue(most));
            var options = published with
            {
                Temperature = parsed.GetValue(temperature) ?? published.Temperature,
                TopK = parsed.GetValue(topK) ?? published.TopK,
                TopP = parsed.GetValue(topP) ?? published.TopP,
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
        var prompt = tokenizer is null ? TokenList.Parse(ids!) : [.. tokenizer.Encode(text!).Select(id => (long)id)];
        var device = ComputeDevice.Current;
        MemoryCheck.Require(folder, device, prompt.Length, logitPositions: 1);
        using var model = HuggingFaceDirectory.Load(folder, device, ScalarType.Float32);
        var output = StandardOutput.Bytes;
        try
        {
            model.Generate(prompt, options, Show, cancellation);
        }
        catch (ArgumentException e)
        {
            throw new CommandException(PlainMessage.Of(e));
        }

        output.Write("\n"u8);

        // Bytes, not characters: a character may be spread over several tokens.
        void Show(long token)
        {
            if (tokenizer is not null && options.StopTokens.Contains(token)) return; // the end of a text is no part of it
            output.Write(tokenizer is null ? System.Text.Encoding.UTF8.GetBytes($"{token} ") : tokenizer.BytesOf((int)token).Span);
            output.Flush();
        }
    }
}
