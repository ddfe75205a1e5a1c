using System.CommandLine;
using static TorchSharp.torch;

namespace MoeWorkbook.Cli;

/// <summary><c>bench moe-layer</c>: one layer, ours beside dense blocks of its own weights, the teaching loop, and PyTorch's loop and grouped
/// products.</summary>
internal static class BenchMoeLayer
{
    private const string Bandwidth = "bandwidth", Product = "dense product";
    private const int FewestRounds = 3;
    private static readonly WeightType[] _types = [WeightType.Float32, WeightType.BFloat16, WeightType.Int8, WeightType.Int4];

    // After a product OpenMP's threads wait actively for the next one: it must not cost the alternative that has its turn.
    private static readonly TimeSpan _rest = TimeSpan.FromMilliseconds(40);

    // Many short calls: the first after a rest also waits for the cores to wake up, which on a shared machine takes milliseconds. As in pytorch_peer.py.
    private static readonly TimeSpan _sample = TimeSpan.FromMilliseconds(100);

    public static Command Create()
    {
        var tokens = BenchCommand.Numbers("--tokens", "Numbers of tokens.", "1,4,16,64,256");
        var types = BenchCommand.List("--dtypes", "Types of the weights.", string.Join(',', _types.Select(LayerRow.TypeName)), ParseType);
        var rounds = NumberOption.Whole("--rounds", "Rounds; in each every alternative has its turn.", 9);
        var hidden = NumberOption.Whole("--hidden", "Size of the hidden states.", 4096);
        var feedForward = NumberOption.Whole("--intermediate-size", "Inner size of one expert.", 14336);
        var experts = NumberOption.Whole("--experts", "Number of experts.", 8);
        var topK = NumberOption.Whole("--top-k", "Experts of each token.", 2);
        var routing = new Option<string>("--routing") { Description = "How tokens are spread: balanced deals the experts to them in turn, collapsed sends all tokens to the same.", DefaultValueFactory = _ => "balanced" };
        routing.AcceptOnlyFromAmong("balanced", "collapsed");
        var noDense = new Option<bool>("--no-dense") { Description = "Leave the dense blocks out: at many tokens the one of equal total parameters takes longer than all else." };
        var noPyTorch = new Option<bool>("--no-pytorch") { Description = "Leave PyTorch out." };
        var minutes = NumberOption.Whole("--minutes", "The time for all of it: what does not fit is measured in fewer rounds or left out.", 5);
        var json = BenchCommand.Json();
        var command = new Command("moe-layer", "Time one Mixture-of-Experts layer, by default of Mixtral's size.")
        {
            tokens, types, rounds, hidden, feedForward, experts, topK, routing, noDense, noPyTorch, minutes, json,
        };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(topK) > parsed.GetValue(experts)) throw new UsageException("--top-k must not exceed --experts.", command);
            var start = TimeProvider.System.GetTimestamp();
            var shape = new LayerShape(parsed.GetValue(hidden), parsed.GetValue(feedForward), parsed.GetValue(experts),
                parsed.GetValue(topK))
            { Collapsed = parsed.GetValue(routing) == "collapsed" };
            var device = ComputeDevice.Current;
            var probe = BenchProbe.Of(device);
            var python = parsed.GetValue(noPyTorch) ? null : PyTorchPeer.FindPython();
            BenchCommand.Progress(python is null ? "no Python with torch: its columns stay empty (set WORKBOOK_PYTHON)" : $"PyTorch in {python}");

            using var report = new LayerReport(probe, parsed.GetValue(json));
            using var memory = new ReadBandwidth(MachineProbeOptions.For(device).ReadBytes, rounds: 3, device);
            var wanted = parsed.GetValue(types)!.ToLookup(type => device.type == TorchSharp.DeviceType.CPU || BenchedLayer.InPyTorch(type));
            foreach (var type in wanted[false]) report.LeaveOut($"{LayerRow.TypeName(type)}, for quantised experts are computed on the CPU only, not on {device}.");
            int[] counts = [.. parsed.GetValue(tokens)!.Order()];
            var sharesLeft = wanted[true].Count() * counts.Sum(Share);
            foreach (var type in wanted[true])
            {
                BenchCommand.Progress($"{LayerRow.TypeName(type)}: making the weights");
                using var noGradient = no_grad();
                using var layer = new BenchedLayer(shape, type, device);
                using var peer = python is not null && BenchedLayer.InPyTorch(type) ? PyTorchPeer.Start(python, shape, LayerRow.TypeName(type), device) : null;
                if (peer is not null) report.Name(peer.Version);
                var rivals = new Rivals(shape, type, !parsed.GetValue(noDense), peer, report);
                foreach (var count in counts)
                {
                    double secondsLeft = 60 * parsed.GetValue(minutes) - TimeProvider.System.GetElapsedTime(start)
                        .TotalSeconds, seconds = secondsLeft * Share(count) / sharesLeft;
                    sharesLeft -= Share(count);
                    if (secondsLeft > 0) report.Add(Measure(shape, layer, count, parsed.GetValue(rounds),
                        TimeSpan.FromSeconds(seconds), probe, memory, rivals));
                    else report.LeaveOut($"{LayerRow.TypeName(type)}, {count} tokens: the time is over (--minutes gives more).");
                }
            }
        });
        return command;

        // Many tokens take longer, and few are measured in as many rounds.
        static double Share(int tokens) => 1 + tokens / 64.0;
    }

    private static LayerRow Measure(LayerShape shape, BenchedLayer layer, int tokens, int rounds, TimeSpan time,
        MachineProbe probe, ReadBandwidth memory, Rivals rivals)
    {
        using var scope = NewDisposeScope();
        var start = TimeProvider.System.GetTimestamp();
        var hidden = layer.Hidden(tokens);
        // The experts take turns from call to call, so that no cache keeps what one token touches.
        var decisions = Enumerable.Range(0, shape.Experts).Select(turn => Decide(shape, tokens, turn, hidden.device)).ToArray();
        var call = 0;
        var touched = ExpertsTouched.In(decisions[0]);
        var work = Workload.Moe(shape.Hidden, new(shape.Experts, shape.TopK, shape.IntermediateSize), tokens, layer.Type,
            touched) with
        { Bytes = touched * layer.BytesPerExpert };
        var fastest = layer.Type == WeightType.Float32 ? ScalarType.Float32 : probe.GemmFlopsPerSecond.MaxBy(rate => rate.Value).Key;
        var rows = MachineProbeOptions.For(hidden.device).GemmShapes[0].Rows;
        var (left, right) = (layer.Hidden((int)rows).to(fastest), layer.Gate(8 * rows, fastest)); // [rows, hidden] × [hidden, columns]
        (string Name, Func<double> Sample)[] limits =
        [
            (LayerRow.Ours, Sampler(layer.Run)),
            // What bounds the layer, in the same rounds: on a shared machine the probe's is of another moment.
            (Bandwidth, () => Seconds(() => memory.Sample(), hidden.device) / memory.Bytes), // seconds a byte
            (Product, () => Seconds(() => left.matmul(right).Dispose(), hidden.device) / (2.0 * left.shape[0] * right.numel())), // seconds an operation
        ];
        // A first turn of each, which does not count, says how long the others will take.
        var turns = limits.Sum(Turn);
        var admitted = rivals.Admit(tokens, work.Flops, time.TotalSeconds - TimeProvider.System.GetElapsedTime(start).TotalSeconds, turns, FewestRounds, Turn,
            Sampler(layer.RunLoop), count => Faster(layer.Dense(count).Select(Sampler)));
        var measured = Measurement.Rounds(
            new()
            {
                Rounds = rounds,
                FewestRounds = Math.Min(rounds, FewestRounds),
                WarmUpRounds = 0,
                Limit = time - TimeProvider.System.GetElapsedTime(start)
            }, [.. limits, .. admitted]);

        double bandwidth = 1 / measured[Bandwidth].Seconds.Value, rate = 1 / measured[Product].Seconds.Value;
        return new(layer.Type, shape, tokens, touched, measured, new Roofline(bandwidth, rate, probe.SecondsPerCall).Predict(work), bandwidth,
            work.Bytes / measured.Ratio(LayerRow.Ours, Bandwidth).Value, work.Flops / measured.Ratio(LayerRow.Ours, Product).Value);

        Func<double> Sampler(Action<Tensor, RoutingDecision> run) => () => Seconds(() => run(hidden, decisions[call++ % decisions.Length]), hidden.device);

        static double Turn((string Name, Func<double> Sample) alternative)
        {
            var start = TimeProvider.System.GetTimestamp();
            alternative.Sample();
            return TimeProvider.System.GetElapsedTime(start).TotalSeconds;
        }
    }

    /// <summary>The dense block at its best: of the ways to compute it the one that is faster here.</summary>
    private static Func<double> Faster(IEnumerable<Func<double>> ways) => ways.ToArray() is [var only] ? only : ways.MinBy(way => way())!;

    private static RoutingDecision Decide(LayerShape shape, int tokens, int turn, Device device)
    {
        using var scope = NewDisposeScope();
        var dealt = arange(tokens * shape.TopK, ScalarType.Int64, device);
        if (shape.Collapsed) dealt = dealt.remainder(shape.TopK);
        var experts = (dealt + turn * shape.TopK).remainder(shape.Experts).view(tokens, shape.TopK); // [tokens, k]
        var logits = zeros(tokens, shape.Experts, device: device);
        return RoutingDecision.TopK(new(zeros(1, tokens, 1, device: device)), logits, logits.softmax(-1), experts,
            full(tokens, shape.TopK, 1.0 / shape.TopK, device: device)).MoveToOuterDisposeScope();
    }

    // Call after call, as in decoding.
    private static double Seconds(Action action, Device device) => Rested(() =>
    {
        ComputeDevice.Synchronize(device);
        var start = TimeProvider.System.GetTimestamp();
        var calls = 0;
        do
        {
            action();
            calls++;
        }
        while (TimeProvider.System.GetElapsedTime(start) < _sample);
        ComputeDevice.Synchronize(device);
        return TimeProvider.System.GetElapsedTime(start).TotalSeconds / calls;
    });

    internal static double Rested(Func<double> sample)
    {
        Thread.Sleep(_rest);
        return sample();
    }

    private static WeightType ParseType(string name) => _types.Cast<WeightType?>()
        .FirstOrDefault(type => LayerRow.TypeName(type!.Value).Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? throw new FormatException($"'{name}' is none of float32, bfloat16, int8, int4");
}
