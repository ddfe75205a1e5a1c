namespace MoeWorkbook.Cli;

/// <summary>What a layer of one type is compared with. A rival that would take more than its time is left out, and said to be.</summary>
internal sealed class Rivals
{
    // Products that wait for their weights, a byte or two an operation, reach ten times as much.
    private const double LeastFlopsPerSecond = 1e9;

    private readonly LayerShape _shape;
    private readonly WeightType _type;
    private readonly LayerReport _report;
    private readonly HashSet<string> _out = []; // for this type, from the tokens on at which they took too long
    private readonly List<(string Name, string Layer, double FlopsPerSecond)> _peers = []; // PyTorch's, with the rate of one token
    private readonly PyTorchPeer? _peer;
    private readonly bool _dense;

    public Rivals(LayerShape shape, WeightType type, bool dense, PyTorchPeer? peer, LayerReport report)
    {
        (_shape, _type, _dense, _peer, _report) = (shape, type, dense, peer, report);
        if (peer is null) return;
        // One token says whether PyTorch multiplies number by number.
        var flops = Workload.Moe(shape.Hidden, new(shape.Experts, shape.TopK, shape.IntermediateSize), 1, type).Flops;
        foreach (var (name, layer) in new[] { (LayerRow.PyTorchLoop, "loop"), (LayerRow.PyTorchGrouped, "grouped") })
        {
            var rate = flops / peer.Run($"{layer} 1");
            _peers.Add((name, layer, rate));
            if (rate >= LeastFlopsPerSecond || name != LayerRow.PyTorchLoop) continue;
            _out.UnionWith([LayerRow.PyTorchLoop, LayerRow.PyTorchGrouped]);
            _report.LeaveOut($"PyTorch in {LayerRow.TypeName(type)}: one token's products run at {rate / 1e9:F1} GFLOP/s.");
            break;
        }
    }

    /// <summary>The rivals that can be measured in some rounds within a time, after a first turn of each.</summary>
    /// <param name="tokens">Number of tokens.</param>
    /// <param name="flops">The layer's operations.</param>
    /// <param name="seconds">The time that is left.</param>
    /// <param name="turns">Seconds of a round without them.</param>
    /// <param name="rounds">So many rounds must fit.</param>
    /// <param name="turn">Takes a first turn; its seconds.</param>
    /// <param name="loop">The teaching loop.</param>
    /// <param name="dense">The dense block of so many experts.</param>
    public List<(string Name, Func<double> Sample)> Admit(
        int tokens, double flops, double seconds, double turns, int rounds, Func<(string,
            Func<double>), double> turn, Func<double> loop, Func<int, Func<double>> dense)
    {
        var admitted = new List<(string Name, Func<double> Sample)>();
        var left = seconds - rounds * turns;
        Try(LayerRow.Loop, () => loop);
        if (_dense) Try(LayerRow.DenseActive, () => dense(_shape.TopK));
        foreach (var (name, layer, rate) in _peers)
        {
            if (rounds * new FirstTry(rate).LeastSeconds(flops) > left) Leave(name, $"one token's products run at {rate / 1e9:F1} GFLOP/s");
            else Try(name, () => () => BenchMoeLayer.Rested(() => _peer!.Run($"{layer} {tokens}")));
        }

        if (_dense) Try(LayerRow.DenseTotal, () => dense(_shape.Experts));
        return admitted;

        void Try(string name, Func<Func<double>> make)
        {
            if (_out.Contains(name)) return;
            var start = TimeProvider.System.GetTimestamp();
            var sample = make();
            double took = turn((name, sample)), spent = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
            left -= spent;
            if (rounds * took > left)
            {
                Leave(name, $"a turn takes {took:F1} s");
                return;
            }

            left -= rounds * took;
            admitted.Add((name, sample));
        }

        void Leave(string name, string why)
        {
            if (_out.Add(name)) _report.LeaveOut($"{name} in {LayerRow.TypeName(_type)} from {tokens} tokens on: {why}.");
        }
    }
}
