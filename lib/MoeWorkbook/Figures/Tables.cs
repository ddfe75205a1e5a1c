namespace MoeWorkbook;

/// <summary>The workbook's tables: one function each, from the library's values to a <see cref="Table"/>.</summary>
public static class Tables
{
    /// <summary>One model's parameters by component, in total and active for one token.</summary>
    /// <param name="count">The count.</param>
    public static Table Components(ParameterCount count)
    {
        ArgumentNullException.ThrowIfNull(count);
        var rows = count.TotalByComponent.Where(part => part.Value > 0).Select(part => Row(Name(part.Key), part.Value, count.ActiveByComponent[part.Key]));
        return new Table(
            [Column.Text("component"), new("total"), new("share", "%"), new("active")],
            [.. rows, Row("all", count.TotalParameters, count.ActiveParameters)]);

        string[] Row(string name, long total, long active) => [name, $"{total:N0}", $"{100.0 * total / count.TotalParameters:F2}", $"{active:N0}"];
    }

    /// <summary>Total and active parameters of several models, and what they take.</summary>
    /// <param name="models">The models; they are listed from the smallest to the largest.</param>
    public static Table Counts(IEnumerable<PublishedModel> models)
    {
        ArgumentNullException.ThrowIfNull(models);
        var counted = models.Select(model => (Model: model, Count: ParameterCount.Of(model.Config))).OrderBy(pair => pair.Count.TotalParameters);
        return new Table(
            [Column.Text("name to ask for"), new("total"), new("active (all-in)"), new("total / active"), new("experts"), new("a token")],
            counted.Select(pair => (string[])
            [
                pair.Model.Id,
                $"{pair.Count.TotalParameters:N0}",
                $"{pair.Count.ActiveParameters:N0}",
                $"{(double)pair.Count.TotalParameters / pair.Count.ActiveParameters:F1}",
                pair.Model.Config.Moe is { } moe ? $"{moe.ExpertCount:N0}" : "dense",
                pair.Model.Config.Moe is { } chosen ? $"{chosen.ExpertsPerToken}" : "",
            ]));
    }

    /// <summary>The name of a component in prose and figures.</summary>
    internal static string Name(ModelComponent component) => component switch
    {
        ModelComponent.RoutedExperts => "routed experts",
        ModelComponent.SharedExperts => "shared experts",
        ModelComponent.DenseFeedForward => "dense feed-forward",
        _ => component.ToString().ToLowerInvariant(),
    };
}
