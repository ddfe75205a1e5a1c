using System.CommandLine;
using System.Text.Json;
using static TorchSharp.torch;

namespace MoeWorkbook.Cli;

/// <summary><c>logits</c>: a checkpoint's logits for given tokens, computed in float32.</summary>
internal static class LogitsCommand
{
    public static Command Create()
    {
        var directory = new Argument<string>("directory") { Description = "A Hugging Face directory: config.json and safetensors files." };
        var tokens = new Option<string>("--tokens") { Description = "Token ids: commas within a sequence, semicolons between sequences of equal length, as in \"1,2,3;4,5,6\".", Required = true };
        var json = new Option<bool>("--json") { Description = "Print one JSON object with the shape and all logits, row after row." };
        var command = new Command("logits", "Print a checkpoint's logits.") { directory, tokens, json };
        command.SetAction(parsed =>
        {
            var batch = TokenList.ParseBatch(parsed.GetValue(tokens)!);
            var folder = parsed.GetValue(directory)!;
            var device = ComputeDevice.Current;
            var positions = batch.Sum(row => (long)row.Length);
            MemoryCheck.Require(folder, device, positions, positions);
            using var noGradient = no_grad();
            using var model = HuggingFaceDirectory.Load(folder, device, ScalarType.Float32);
            model.eval();
            using var ids = tensor(batch.SelectMany(row => row).ToArray(), [batch.Length, batch[0].Length], device: model.Device);
            using var logits = Forward(model, ids);
            if (parsed.GetValue(json)) WriteJson(logits);
            else WriteText(logits);
        });
        return command;
    }

    private static Tensor Forward(CausalLanguageModel model, Tensor ids)
    {
        try
        {
            using var logits = model.forward(ids);
            var onHost = logits.cpu();
            // Before a word of the result is written.
            return onHost.isfinite().all().item<bool>() ? onHost : throw new CommandException("a logit is not finite: the checkpoint's weights or its computation are broken.");
        }
        catch (ArgumentException e)
        {
            throw new CommandException(PlainMessage.Of(e));
        }
    }

    private static void WriteJson(Tensor logits)
    {
        using var writer = new Utf8JsonWriter(StandardOutput.Bytes);
        writer.WriteStartObject();
        writer.WriteStartArray("shape");
        foreach (var size in logits.shape) writer.WriteNumberValue(size);
        writer.WriteEndArray();
        writer.WriteStartArray("logits");
        foreach (var logit in logits.data<float>()) writer.WriteNumberValue(logit);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>The five likeliest next tokens after each position.</summary>
    private static void WriteText(Tensor logits)
    {
        const int shown = 5;
        var (values, ids) = logits.topk((int)Math.Min(shown, logits.shape[2]), dim: -1);
        var columns = (int)values.shape[2];
        var largest = values.data<float>().ToArray();
        var tokens = ids.data<long>().ToArray();
        var rows = Enumerable.Range(0, (int)(logits.shape[0] * logits.shape[1])).Select(row => (string[])
        [
            $"{row / logits.shape[1]}",
            $"{row % logits.shape[1]}",
            .. Enumerable.Range(row * columns, columns).Select(i => $"{tokens[i]}: {largest[i]:F3}"),
        ]);
        Console.WriteLine(new Table(
            [new("sequence"), new("position"), .. Enumerable.Range(1, columns).Select(i => new Column($"{i}. token: logit"))], rows));
    }
}
