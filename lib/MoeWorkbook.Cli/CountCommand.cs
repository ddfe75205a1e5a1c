using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeWorkbook.Cli;

/// <summary><c>count</c>: the parameters, operations and bytes of a model.</summary>
internal static class CountCommand
{
    public static Command Create()
    {
        var model = new Argument<string?>("model")
        {
            Description = "A name of the catalog (see --list), a Hugging Face config.json, or a directory that holds one.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var list = new Option<bool>("--list") { Description = "List the catalog." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var context = NumberOption.Whole("--context", "Context length for operations and cache.", 4096);
        var command = new Command("count", "Count a model's parameters, operations and bytes.") { model, list, json, context };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(model) is null == !parsed.GetValue(list)) throw new UsageException("Name a model, or use --list.", command);
            if (parsed.GetValue(list))
                List(parsed.GetValue(json));
            else
                Count(parsed.GetValue(model)!, parsed.GetValue(json), parsed.GetValue(context));
        });
        return command;
    }

    private static void List(bool asJson)
    {
        if (!asJson)
        {
            Console.WriteLine(Tables.Counts(ModelCatalog.All));
            return;
        }

        var models = ModelCatalog.All.Select(model =>
        {
            var count = ParameterCount.Of(model.Config);
            return (JsonNode)new JsonObject
            {
                ["id"] = model.Id,
                ["name"] = model.Name,
                ["total_parameters"] = count.TotalParameters,
                ["active_parameters"] = count.ActiveParameters,
            };
        });
        Console.WriteLine(new JsonObject { ["models"] = new JsonArray([.. models]) }.ToJsonString(JsonText.Indented));
    }

    private static void Count(string name, bool asJson, int context)
    {
        var published = Find(name);
        try
        {
            var count = ParameterCount.Of(published.Config);
            Console.WriteLine(asJson ? Json(published, count, context).ToJsonString(JsonText.Indented) : Text(published, count, context));
        }
        catch (OverflowException e)
        {
            throw new CommandException($"{name}: {e.Message}");
        }
    }

    private static PublishedModel Find(string name)
    {
        var isPath = !ModelCatalog.Ids.Contains(name, StringComparer.OrdinalIgnoreCase)
            && (File.Exists(name) || Directory.Exists(name) || name.EndsWith(".json", StringComparison.OrdinalIgnoreCase));
        if (!isPath) return ModelCatalog.Find(name);
        var config = HuggingFaceConfig.Read(name);
        // A config.json is called after its directory.
        var path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(name));
        var title = Path.GetFileName(path) == "config.json" ? Path.GetFileName(Path.GetDirectoryName(path)!) : Path.GetFileNameWithoutExtension(path);
        return new PublishedModel(title, title, "", config) { Sources = [name] };
    }

    private static JsonObject Json(PublishedModel model, ParameterCount count, int context)
    {
        var flops = Flops(model.Config, context);
        return new JsonObject
        {
            ["name"] = model.Name,
            ["model_type"] = model.Config.ModelType,
            ["total_parameters"] = count.TotalParameters,
            ["active_parameters"] = count.ActiveParameters,
            ["active_without_input_embedding"] = count.Active(ActiveConvention.WithoutInputEmbedding),
            ["active_without_embeddings"] = count.Active(ActiveConvention.WithoutEmbeddings),
            ["components"] = Components(count.TotalByComponent),
            ["active_components"] = Components(count.ActiveByComponent),
            ["weight_bytes"] = new JsonObject(Enum.GetValues<WeightType>().Select(type =>
                KeyValuePair.Create(SnakeCase(type), (JsonNode?)WeightBytes.Of(count.TotalParameters, type)))),
            ["context_length"] = context,
            ["kv_cache_bytes_per_token_16bit"] = KeyValueCacheSize.BytesPerToken(model.Config),
            ["kv_cache_bytes_16bit"] = KeyValueCacheSize.Bytes(model.Config, context),
            ["forward_flops_per_token"] = flops?.Total,
        };
    }

    private static string Text(PublishedModel model, ParameterCount count, int context)
    {
        var config = model.Config;
        var lines = new List<string>
        {
            $"{model.Name} ({config.ModelType}): {count.TotalParameters / 1e9:N2} billion parameters, {count.ActiveParameters / 1e9:N2} billion active for one token",
            "",
            Tables.Components(count).ToString(),
            "",
            $"active without the input embedding   {count.Active(ActiveConvention.WithoutInputEmbedding),19:N0}",
            $"active without both embeddings       {count.Active(ActiveConvention.WithoutEmbeddings),19:N0}",
            $"weights at 16 bits                   {WeightBytes.Of(count.TotalParameters, WeightType.BFloat16) / 1e9,16:N1} GB",
            $"weights at 4 bits, without scales    {WeightBytes.Of(count.TotalParameters, WeightType.Int4) / 1e9,16:N1} GB",
            $"cache a token at 16 bits             {KeyValueCacheSize.BytesPerToken(config),13:N0} bytes",
            $"cache at {context,6:N0} tokens               {KeyValueCacheSize.Bytes(config, context) / 1e6,16:N1} MB",
        };
        if (Flops(config, context) is { } flops)
            lines.Add($"operations a token at {context,6:N0} tokens  {flops.Total / 1e9,12:N1} GFLOP");
        if (model.PublishedTotal is not null || model.PublishedActive is not null)
            lines.AddRange(["", $"published: {model.PublishedTotal ?? "no total"}; active {model.PublishedActive ?? "not given"}"]);
        return string.Join(Environment.NewLine, lines);
    }

    private static ForwardFlops? Flops(ModelConfig config, int context) => config.Encoder is null ? ForwardFlops.PerToken(config, context) : null;

    private static JsonObject Components(IReadOnlyDictionary<ModelComponent, long> counts) =>
        new(counts.Select(pair => KeyValuePair.Create(SnakeCase(pair.Key), (JsonNode?)pair.Value)));

    private static string SnakeCase<T>(T value) where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
