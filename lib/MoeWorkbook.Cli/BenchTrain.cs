using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MoeWorkbook.Cli;

/// <summary><c>bench train</c>: training a small Mixture of Experts, ours beside the same model in PyTorch; one run on all cores, and one run on each core. On
/// a GPU one run.</summary>
internal static class BenchTrain
{
    private const string Ours = "ours, one run", PyTorch = "PyTorch, one run", OursEach = "ours, a run on each core", PyTorchEach = "PyTorch, a run on each core";
    private const int WarmUpSteps = 3, StepsForEver = 1_000_000;

    // After a product OpenMP's threads wait actively for the next one: it must not cost the alternative that has its turn.
    private static readonly TimeSpan _rest = TimeSpan.FromMilliseconds(50);

    public static Command Create()
    {
        var rounds = NumberOption.Whole("--rounds", "Rounds; in each every alternative has its turn.", 9);
        var steps = NumberOption.Whole("--steps", "Training steps in a turn.", 10);
        var hidden = NumberOption.Whole("--hidden", "Size of the hidden states; a multiple of --heads.", 64);
        var feedForward = NumberOption.Whole("--intermediate-size", "Inner size of one expert.", 128);
        var layers = NumberOption.Whole("--layers", "Number of layers.", 2);
        var heads = NumberOption.Whole("--heads", "Number of attention heads.", 4);
        var experts = NumberOption.Whole("--experts", "Number of experts.", 8);
        var topK = NumberOption.Whole("--top-k", "Experts of each token.", 2);
        var batch = NumberOption.Whole("--batch", "Sequences in a batch.", 16);
        var sequence = NumberOption.Whole("--sequence", "Tokens in a sequence.", 64);
        var noPyTorch = new Option<bool>("--no-pytorch") { Description = "Leave PyTorch out." };
        var json = BenchCommand.Json();
        var command = new Command("train", "Training tokens a second of a small Mixture of Experts, beside PyTorch.")
        {
            rounds, steps, hidden, feedForward, layers, heads, experts, topK, batch, sequence, noPyTorch, json,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(topK) > parsed.GetValue(experts)) throw new CommandException("--top-k must not exceed --experts.");
            if (parsed.GetValue(hidden) % (2 * parsed.GetValue(heads)) != 0) throw new CommandException("--hidden must be a multiple of twice --heads.");
            var python = parsed.GetValue(noPyTorch) ? null : PyTorchPeer.FindPython();
            BenchCommand.Progress(python is null ? "no Python with torch: PyTorch is left out (set WORKBOOK_PYTHON)" : $"PyTorch in {python}");
            var corpus = SyntheticCorpus.Generate(new() { TrainingBytes = 500_000, ValidationBytes = 10_000 });
            var model = ModelConfig.Dense(parsed.GetValue(hidden), parsed.GetValue(layers), parsed.GetValue(heads), parsed.GetValue(heads),
                parsed.GetValue(feedForward), corpus.VocabularySize)
                .MixtureOfExperts(parsed.GetValue(experts), parsed.GetValue(topK));
            var options = new TrainingOptions { Steps = StepsForEver, BatchSize = parsed.GetValue(batch), SequenceLength = parsed.GetValue(sequence) };
            var (times, pyTorch) = Measure(model, corpus, options, python, parsed.GetValue(rounds), parsed.GetValue(steps));
            var tokens = parsed.GetValue(steps) * options.BatchSize * options.SequenceLength;
            if (parsed.GetValue(json)) BenchCommand.Print(new()
            {
                ["pytorch"] = pyTorch,
                ["rows"] = new JsonArray([.. times.Measurements.Select(time => (JsonNode)Row(time, tokens * Runs(time), model, options))])
            });
            else Console.WriteLine(Table(times, tokens));
        });
        return command;
    }

    private static (Comparison Times, string? PyTorch) Measure(ModelConfig model, Corpus corpus, TrainingOptions options, string? python, int rounds, int steps)
    {
        var (cores, device) = (get_num_threads(), ComputeDevice.Current);
        var onGpu = device.type != TorchSharp.DeviceType.CPU;
        var trainers = Enumerable.Range(0, onGpu ? 1 : cores).Select(_ => new Trainer(model, corpus, options, new() { AuxiliaryLossWeight = 0.01 }, device))
            .ToList();
        var peer = python is null ? null : StartPeer(python, model, options, cores, device);
        List<PyTorchPeer> peers = python is null || onGpu ? [] : [.. trainers.Select(_ => StartPeer(python, model, options, 1, device))];
        try
        {
            foreach (var trainer in trainers) Take(trainer, WarmUpSteps);
            // Every step reads its loss, so a device has done its work when a step ends.
            var alternatives = new List<(string, Func<double>)> { (Ours, () => Seconds(() => Take(trainers[0], steps))) };
            if (!onGpu) alternatives.Add((OursEach, () => Seconds(() => OnEachCore(trainers, trainer => Take(trainer, steps), cores))));
            if (peer is not null) alternatives.Add((PyTorch, () => Rested(() => peer.Run(Text(steps)))));
            if (peers.Count > 0) alternatives.Add((PyTorchEach, () => Seconds(() => Parallel.ForEach(peers, each => each.Run(Text(steps))))));

            return (Measurement.Rounds(new() { Rounds = rounds, Limit = TimeSpan.FromMinutes(2) }, [.. alternatives]), peer?.Version);
        }
        finally
        {
            trainers.ForEach(trainer => trainer.Dispose());
            peer?.Dispose();
            peers.ForEach(each => each.Dispose());
        }
    }

    private static void Take(Trainer trainer, int steps)
    {
        for (var i = 0; i < steps; i++) trainer.Step();
    }

    /// <summary>Each trainer on a thread of its own, whose tensor operations use that thread alone.</summary>
    private static void OnEachCore(List<Trainer> trainers, Action<Trainer> action, int threadsAfter)
    {
        var threads = trainers.Select(trainer => new Thread(() =>
        {
            set_num_threads(1);
            action(trainer);
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        set_num_threads(threadsAfter);
    }

    private static double Seconds(Action action) => Rested(() =>
    {
        var watch = Stopwatch.StartNew();
        action();
        return watch.Elapsed.TotalSeconds;
    });

    private static double Rested(Func<double> sample)
    {
        Thread.Sleep(_rest);
        return sample();
    }

    private static PyTorchPeer StartPeer(string python, ModelConfig model, TrainingOptions options, int threads, Device device) => PyTorchPeer.Start(python, "train_peer.py",
    [
        "--experts", Text(model.Moe!.ExpertCount), "--top-k", Text(model.Moe.ExpertsPerToken), "--hidden", Text(model.HiddenSize), "--intermediate-size", Text(model.Moe.IntermediateSize),
        "--layers", Text(model.LayerCount), "--heads", Text(model.Attention.HeadCount), "--vocabulary", Text(model.VocabularySize),
        "--batch", Text(options.BatchSize), "--sequence", Text(options.SequenceLength), "--threads", Text(threads), "--device", device.ToString(),
    ]);

    /// <summary>How many runs an alternative makes at the same time.</summary>
    private static int Runs(Measurement time) => time.Name is OursEach or PyTorchEach ? get_num_threads() : 1;

    private static JsonObject Row(Measurement time, int tokens, ModelConfig model, TrainingOptions options)
    {
        var count = ParameterCount.Of(model);
        return new()
        {
            ["name"] = time.Name,
            ["total_parameters"] = count.TotalParameters,
            ["active_parameters"] = count.ActiveParameters,
            ["tokens_per_step"] = options.BatchSize * options.SequenceLength,
            ["training_flops_per_token"] = 3 * ForwardFlops.PerToken(model, (options.SequenceLength + 1) / 2).Total,
            ["tokens_per_second"] = JsonText.Rounded(tokens / time.Seconds.Value),
            ["tokens_per_second_low"] = JsonText.Rounded(tokens / time.Seconds.High),
            ["tokens_per_second_high"] = JsonText.Rounded(tokens / time.Seconds.Low),
        };
    }

    private static Table Table(Comparison times, int tokens) => new(
        [Column.Text("training"), new("tokens a second"), new("95% interval")],
        times.Measurements.Select(time => (time.Name, Rate: time.Seconds.Inverse().Times((double)tokens * Runs(time))))
            .Select(row => (string[])[row.Name, $"{row.Rate}", row.Rate.Interval]));

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
