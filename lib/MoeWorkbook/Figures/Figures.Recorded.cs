namespace MoeWorkbook;

public static partial class Figures
{
    /// <summary>Chapter 05: layers and whole models on recorded GPUs beside this machine's; one line that says how to record one where there is none.</summary>
    /// <param name="recordings">The recordings, such as <see cref="BenchmarkRecording.OnGpu"/>.</param>
    /// <param name="layers">A layer on this machine, at several numbers of tokens.</param>
    /// <param name="decode">A decode step on this machine, the Mixture of Experts first.</param>
    public static Gallery InferenceOnGpu(IReadOnlyList<BenchmarkRecording> recordings, IEnumerable<LayerTiming> layers, Comparison decode)
    {
        ArgumentNullException.ThrowIfNull(layers);
        ArgumentNullException.ThrowIfNull(decode);
        var here = ("here", layers.Select(timing => ((double)timing.Tokens, timing.AdvantageOverTotal.Value)).ToList().AsEnumerable());
        return OnGpu(recordings, Parts);

        IEnumerable<INotebookDisplay> Parts(BenchmarkRecording gpu)
        {
            var recorded = gpu.Layers.Where(row => row.Routing == "balanced").GroupBy(row => row.Layer).ToList();
            foreach (var rows in recorded) yield return LayerTimes(rows, gpu.Name);
            if (recorded.Count > 0)
            {
                yield return Lines(
                    [here, .. recorded.Select(rows => (rows.Key, rows.Where(row => row.DenseTotalMilliseconds > 0)
                        .Select(row => ((double)row.Tokens, row.DenseTotalMilliseconds!.Value / row.Milliseconds))))],
                    $"Advantage over the dense block of equal total parameters, {gpu.Name} and here",
                    "All experts of a layer / those of a token, and how it fades with the batch.",
                    "tokens computed together", "time of the dense block / time of the layer", logarithmic: true);
            }

            if (gpu.Decode.Count == 0) yield break;
            var measured = decode.Measurements.Select(one => (string[])
                ["here", one.Name, $"{one.Seconds.Inverse()}", $"{decode.Ratio(one.Name, decode.Measurements[0].Name)}"]);
            var there = gpu.Decode.Where(row => row.Batch == 1).Select(row => (string[])
                [gpu.Name, row.Model, FormattableString.Invariant($"{row.TokensPerSecond:N1}"), FormattableString.Invariant($"{row.TimesMixtureOfExperts:F2}")]);
            yield return new Table(
                [Column.Text("machine"), Column.Text("model"), new("tokens a second"), new("time / Mixture of Experts")], measured.Concat(there),
                FormattableString.Invariant($"Decode, one sequence. The recorded model of {gpu.Decode[0].TotalParameters:N0} parameters is as large as the GPU's memory allows: compare within a machine, not across."));
        }
    }

    /// <summary>Chapter 06: a layer with balanced and with collapsed routing on recorded GPUs; one line where there is none.</summary>
    /// <param name="recordings">The recordings, such as <see cref="BenchmarkRecording.OnGpu"/>.</param>
    public static Gallery CollapseOnGpu(IReadOnlyList<BenchmarkRecording> recordings)
    {
        return OnGpu(recordings, Parts);

        static IEnumerable<INotebookDisplay> Parts(BenchmarkRecording gpu)
        {
            if (gpu.Layers.Count == 0) yield break;
            yield return Lines(
                gpu.Layers.Where(row => row.Experts == gpu.Layers[0].Experts).GroupBy(row => row.Layer)
                    .Select(layer => (layer.Key, layer.Select(row => ((double)row.Tokens, row.Milliseconds)))),
                $"One layer on {gpu.Name}", "Recorded: the same layer with balanced and with collapsed routing.", "tokens computed together", "time (ms)", logarithmic: true);
        }
    }

    /// <summary>Chapter 09: training speeds on recorded GPUs beside this machine's; one line where there is none.</summary>
    /// <param name="recordings">The recordings, such as <see cref="BenchmarkRecording.OnGpu"/>.</param>
    /// <param name="here">Training tokens a second on this machine.</param>
    public static Gallery TrainingOnGpu(IReadOnlyList<BenchmarkRecording> recordings, Estimate here)
    {
        return OnGpu(recordings, Parts);

        IEnumerable<INotebookDisplay> Parts(BenchmarkRecording gpu)
        {
            if (gpu.Training.Count == 0) yield break;
            yield return Intervals(
                [("one of the runs above", here), .. gpu.Training.Select(row => (FormattableString.Invariant($"{row.Name}, {row.TotalParameters:N0} parameters"), row.Speed))],
                $"Training here and on {gpu.Name}", "Recorded medians, 95% intervals.", "training tokens a second", "who trains, and what");
        }
    }

    private static Gallery OnGpu(IReadOnlyList<BenchmarkRecording> recordings, Func<BenchmarkRecording, IEnumerable<INotebookDisplay>> parts)
    {
        ArgumentNullException.ThrowIfNull(recordings);
        return recordings.Count == 0
            ? new(BenchmarkRecording.NoneOnGpu, [])
            : new(string.Join("\n\n", recordings.Select(gpu => gpu.Probe is { } probe ? $"{gpu}\n{probe}" : $"{gpu}")), [.. recordings.SelectMany(parts)]);
    }
}
