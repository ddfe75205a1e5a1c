using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;

namespace MoeWorkbook.Cli;

/// <summary><c>bench</c>: what this machine can do, and how near our layers and models come to it.</summary>
internal static class BenchCommand
{

    public static Command Create()
    {
        var record = new Option<string?>("--record") { Description = "Run all of them and keep the results in a JSON file, with the machine, the date and the commands." };
        var only = new Option<string?>("--only") { Description = "What to record, in place of everything: commands with semicolons between, as in \"probe; decode --batch 1\"." };
        var command = new Command("bench", "Measure this machine, a Mixture-of-Experts layer and its training beside PyTorch's, and whole models.")
        {
            BenchProbe.Create(),
            BenchMoeLayer.Create(),
            BenchModels.CreateDecode(),
            BenchModels.CreatePrefill(),
            BenchTrain.Create(),
            record,
            only,
        };
        command.SetAction(parsed => BenchRecording.Record(
            command,
            parsed.GetValue(record) ?? throw new CommandException("say what to measure (bench --help lists it), or record everything: bench --record FILE."),
            parsed.GetValue(only)));
        return command;
    }

    internal static Option<bool> Json() => new("--json") { Description = "Print one JSON object." };

    internal static Option<int[]> Numbers(string name, string description, string byDefault) => List(name, description, byDefault,
        part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new FormatException($"'{part}' in {name} is no number of at least 1"));

    /// <summary>An option whose value is a list with commas, as in <c>1,4,16</c>.</summary>
    internal static Option<T[]> List<T>(string name, string description, string byDefault, Func<string, T> parse)
    {
        var option = new Option<T[]>(name) { Description = $"{description} By default {byDefault}.", DefaultValueFactory = _ => Parts(byDefault) };
        option.CustomParser = result =>
        {
            try
            {
                return Parts(string.Join(',', result.Tokens.Select(token => token.Value)));
            }
            catch (FormatException e)
            {
                result.AddError($"{e.Message}: write a list such as {byDefault}.");
                return [];
            }
        };
        return option;

        T[] Parts(string text) => [.. text.Split(',', StringSplitOptions.TrimEntries).Select(parse)];
    }

    /// <summary>Texts with commas between; null for none.</summary>
    internal static string? Joined(IReadOnlyCollection<string> texts) => texts.Count == 0 ? null : string.Join(", ", texts);

    internal static JsonArray Texts(IEnumerable<string> texts) => [.. texts.Select(text => (JsonNode)text)];

    internal static void Print(JsonObject json) => Console.WriteLine(json.ToJsonString(JsonText.Indented));

    /// <summary>Says on the error output what is going on.</summary>
    internal static void Progress(string text) => Console.Error.WriteLine($"bench: {text}");
}
