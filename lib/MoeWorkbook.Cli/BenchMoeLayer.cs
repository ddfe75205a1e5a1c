using System.CommandLine;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MoeWorkbook.Cli;

/// <summary><c>bench moe-layer</c>: one layer, ours beside the teaching loop and beside PyTorch's loop.</summary>
internal static class BenchMoeLayer
{
    private const string Ours = "ours", Loop = "loop", PyTorch = "PyTorch", Bandwidth = "bandwidth";
    private static readonly WeightType[] _types = [WeightType.Float32, WeightType.BFloat16, WeightType.Int8, WeightType.Int4];

    // After a product OpenBLAS's and OpenMP's threads wait actively for the next one (OpenBLAS's for 2^26 cycles, some 25 ms): it must not cost the alternative that has its turn.
    private static readonly TimeSpan _rest = TimeSpan.FromMilliseconds(40);

    // Many short calls: the first after a rest also waits for the cores to wake up, which on a shared machine takes milliseconds. As in pytorch_peer.py.
    private static readonly TimeSpan _sample = TimeSpan.FromMilliseconds(100);

    public static Command Create()
    {
        var tokens = BenchCommand.Numbers("--tokens", "Numbers of tokens.", "1,4,16,64,256");
        var types = BenchCommand.List("--dtypes", "Types of the weights.", string.Join(',', _types.Select(LayerRow.TypeName)), ParseType);
        var rounds = BenchCommand.Number("--rounds", "Rounds; in each every alternative has its turn.", 9);
        var hidden = BenchCommand.Number("--hidden", "Size of the hidden states.", 4096);
        var feedForward = BenchCommand.Number("--ffn", "Inner size of one expert.", 14336);
        var experts = BenchCommand.Number("--experts", "Number of experts.", 8);
        var topK = BenchCommand.Number("--top-k", "Experts of each token.", 2);
        var noPyTorch = new Option<bool>("--no-pytorch") { Description = "Leave PyTorch out." };
        var json = BenchCommand.Json();
        var command = new Command("moe-layer", "Time one Mixture-of-Experts layer, by default of Mixtral's size, with balanced routing.")
        {
            tokens, types, rounds, hidden, feedForward, experts, topK, noPyTorch, json,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(topK) > result.GetValue(experts)) result.AddError("--top-k must not exceed --experts.");
        });
        command.SetAction(parsed =>
        {
            var shape = new LayerShape(parsed.GetValue(hidden), parsed.GetValue(feedForward), parsed.GetValue(experts), parsed.GetValue(topK));
            var device = ComputeDevice.Current;
            var probe = BenchProbe.Of(device);
            string? python = parsed.GetValue(noPyTorch) ? null : PyTorchPeer.FindPython();
            BenchCommand.Progress(python is null ? "no Python with torch: its columns stay empty (set WORKBOOK_PYTHON)" : $"PyTorch in {python}");

            var rows = new List<LayerRow>();
            using var memory = new ReadBandwidth(rounds: 3, device: device);
            var wanted = parsed.GetValue(types)!.ToLookup(type => device.type == TorchSharp.DeviceType.CPU || BenchedLayer.InPyTorch(type));
            foreach (var type in wanted[false]) BenchCommand.Progress($"{LayerRow.TypeName(type)}: quantised experts are computed on the CPU only, so {device} leaves them out");
            foreach (var type in wanted[true])
                rows.AddRange(Measure(shape, type, device, parsed.GetValue(tokens)!, parsed.GetValue(rounds), probe, memory, python));

            if (parsed.GetValue(json))
                BenchCommand.Print(new() { ["probe"] = BenchProbe.ToJson(probe), ["rows"] = new JsonArray([.. rows.Select(row => row.ToJson())]) });
            else
                Console.WriteLine($"{probe}\n\n{LayerRow.ToTable(rows)}");
        });
        return command;
    }

    private static IEnumerable<LayerRow> Measure(LayerShape shape, WeightType type, Device device, int[] tokens, int rounds, MachineProbe probe, ReadBandwidth memory, string? python)
    {
        BenchCommand.Progress($"{LayerRow.TypeName(type)}: making the weights");
        using var noGradient = no_grad();
        using var layer = new BenchedLayer(shape, type, device);
        using var peer = python is not null && BenchedLayer.InPyTorch(type) ? PyTorchPeer.Start(python, shape, LayerRow.TypeName(type), device) : null;
        foreach (int count in tokens)
        {
            BenchCommand.Progress($"{LayerRow.TypeName(type)}: {count} tokens");
            yield return Measure(shape, layer, count, rounds, probe, memory, peer);
        }
    }

    private static LayerRow Measure(LayerShape shape, BenchedLayer layer, int tokens, int rounds, MachineProbe probe, ReadBandwidth memory, PyTorchPeer? peer)
    {
        using var scope = NewDisposeScope();
        var hidden = layer.Hidden(tokens);
        // The experts take turns from call to call, so that no cache keeps what one token touches.
        var decisions = Enumerable.Range(0, shape.Experts).Select(turn => Decide(shape, tokens, turn, hidden.device)).ToArray();
        int call = 0;
        var alternatives = new List<(string, Func<double>)>
        {
            (Ours, () => Seconds(() => layer.Run(hidden, decisions[call++ % decisions.Length]), hidden.device)),
            (Loop, () => Seconds(() => layer.RunLoop(hidden, decisions[call++ % decisions.Length]), hidden.device)),
            (Bandwidth, () => 1 / Rested(memory.Sample)), // seconds a byte
        };
        if (peer is not null) alternatives.Add((PyTorch, () => Rested(() => peer.Run(tokens))));
        var measured = Measurement.Rounds(new() { Rounds = rounds, Limit = TimeSpan.FromMinutes(2) }, [.. alternatives]);

        var (ours, loop, bandwidth) = (measured[Ours], measured[Loop], 1 / measured[Bandwidth].Seconds.Value);
        int touched = ExpertsTouched.In(decisions[0]);
        var work = Workload.Moe(shape.Hidden, new(shape.Experts, shape.TopK, shape.FeedForward), tokens, layer.Type, touched) with { Bytes = touched * layer.BytesPerExpert };
        // The bandwidth of these rounds: on a shared machine the probe's is of another moment.
        var roofline = Roofline.Of(probe, layer.Type) with { BytesPerSecond = bandwidth };
        return new(layer.Type, tokens, touched, ours.Milliseconds, loop.Milliseconds, peer is null ? null : measured[PyTorch].Milliseconds,
            measured.Ratio(Loop, Ours), peer is null ? null : measured.Ratio(PyTorch, Ours),
            roofline.Predict(work), bandwidth, work.Bytes / measured.Ratio(Ours, Bandwidth).Value, work.Flops / ours.Seconds.Value / probe.GemmRate(layer.Type));
    }

    private static RoutingDecision Decide(LayerShape shape, int tokens, int turn, Device device)
    {
        using var scope = NewDisposeScope();
        var experts = (arange(tokens * shape.TopK, ScalarType.Int64, device) + turn * shape.TopK).remainder(shape.Experts).view(tokens, shape.TopK); // [tokens, k]
        var logits = zeros(tokens, shape.Experts, device: device);
        return RoutingDecision.TopK(new(zeros(1, tokens, 1, device: device)), logits, logits.softmax(-1), experts, full(tokens, shape.TopK, 1.0 / shape.TopK, device: device)).MoveToOuterDisposeScope();
    }

    // Call after call, as in decoding.
    private static double Seconds(Action action, Device device) => Rested(() =>
    {
        ComputeDevice.Synchronize(device);
        long start = TimeProvider.System.GetTimestamp();
        int calls = 0;
        do
        {
            action();
            calls++;
        }
        while (TimeProvider.System.GetElapsedTime(start) < _sample);
        ComputeDevice.Synchronize(device);
        return TimeProvider.System.GetElapsedTime(start).TotalSeconds / calls;
    });

    private static double Rested(Func<double> sample)
    {
        Thread.Sleep(_rest);
        return sample();
    }

    private static WeightType ParseType(string name) => _types.Cast<WeightType?>()
        .FirstOrDefault(type => LayerRow.TypeName(type!.Value).Equals(name, StringComparison.OrdinalIgnoreCase))
        ?? throw new FormatException($"'{name}' is none of float32, bfloat16, int8, int4");
}
