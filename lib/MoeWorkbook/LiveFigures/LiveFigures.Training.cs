using System.Globalization;

namespace MoeWorkbook;

public static partial class LiveFigures
{
    /// <summary>The loads of trainings, played back: how the experts of one layer share the tokens, stage by stage, beside each other.</summary>
    /// <param name="runs">One to four runs with the same stages, for example of a <see cref="TrainingRecording"/>.</param>
    /// <param name="layer">The Mixture-of-Experts layer, from 0.</param>
    /// <exception cref="ArgumentException">There are too many runs or none, one has no stage with loads of that layer, or their stages differ.</exception>
    public static LiveFigure CollapseReplayed(IReadOnlyList<TrainingRun> runs, int layer)
    {
        ArgumentNullException.ThrowIfNull(runs);
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        if (runs.Count is < 1 or > 4) throw new ArgumentException($"there are {runs.Count} runs; one to four can be drawn", nameof(runs));
        int[] steps = [.. runs[0].Stages.Select(stage => stage.Step)];
        foreach (var run in runs)
        {
            if (run.Stages.Count == 0 || run.Stages.Any(stage => stage.Load.Count <= layer))
                throw new ArgumentException($"'{run.Name}' has no loads of layer {layer}", nameof(runs));
            if (!run.Stages.Select(stage => stage.Step).SequenceEqual(steps))
                throw new ArgumentException($"the stages of '{run.Name}' end at other steps than those of '{runs[0].Name}'", nameof(runs));
        }

        return new("collapse", $"The load of layer {layer}'s experts, replayed",
            "Press Play, or drag the step: a bar is the share of the assignments that an expert has, the dashed line an even load. Hardly used are experts with less than a tenth of it.",
            [Loads(runs, layer, 0), Loads(runs, layer, steps.Length - 1)],
            new
            {
                Steps = steps,
                Runs = runs.Select(run => new
                {
                    Name = string.Create(CultureInfo.InvariantCulture, $"{run.Name}, seed {run.Seed}"),
                    Loads = run.Stages.Select(stage => stage.Load[layer]),
                    Losses = run.Stages.Select(stage => stage.Loss),
                }),
            }, "routing");
    }

    private static Svg Loads(IReadOnlyList<TrainingRun> runs, int layer, int stage)
    {
        const int height = 130, left = 20;
        var drawing = new Drawing(760, runs.Count * (height + 60));
        var highest = runs.Max(run => run.Stages.Max(one => one.LoadOf(layer).Shares.Max()));
        for (var i = 0; i < runs.Count; i++)
        {
            var now = runs[i].Stages[stage].LoadOf(layer);
            double y = i * (height + 60), width = 720.0 / now.Load.Count;
            drawing.Text(left, y + 18, string.Create(CultureInfo.InvariantCulture,
                $"{runs[i].Name}, seed {runs[i].Seed}: step {runs[i].Stages[stage].Step}, MaxVio {now.MaxViolation:0.00}"), "start", 14, bold: true);
            var floor = y + 36 + height;
            for (var e = 0; e < now.Load.Count; e++)
            {
                var bar = height * now.Shares[e] / highest;
                drawing.Bar(left + e * width + 2, floor - bar, width - 4, bar, FigureStyle.Palette[e % FigureStyle.Palette.Count]);
                drawing.Text(left + (e + 0.5) * width, floor + 10, $"{e}", size: 12);
            }

            var mean = floor - height / highest / now.Load.Count;
            drawing.Line(FigureStyle.Ink, 1, (left, mean), (left + 720, mean));
        }

        return drawing.ToSvg("The share of the assignments of each expert; the line is an even load.");
    }
}
