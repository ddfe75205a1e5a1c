using System.CommandLine;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace MoeWorkbook.Cli;

/// <summary><c>bench probe</c>: the limits of this machine.</summary>
internal static class BenchProbe
{
    public static Command Create()
    {
        var json = BenchCommand.Json();
        var command = new Command("probe", "Measure read bandwidth, the rate of matrix products, and the overhead of a call.") { json };
        command.SetAction(parsed =>
        {
            var probe = Of(ComputeDevice.Current);
            if (parsed.GetValue(json)) BenchCommand.Print(ToJson(probe));
            else Console.WriteLine($"{Machine.Current}\n\n{probe}");
        });
        return command;
    }

    /// <summary>The limits of a device.</summary>
    internal static MachineProbe Of(Device device)
    {
        BenchCommand.Progress($"probing {device}");
        return device.type == TorchSharp.DeviceType.CPU ? MachineProbe.Current : MachineProbe.Run(MachineProbeOptions.For(device));
    }

    internal static JsonObject ToJson(MachineProbe probe) => new()
    {
        ["read_gb_per_s"] = JsonText.Rounded(probe.ReadBytesPerSecond / 1e9),
        ["read_kernel"] = probe.ReadKernel,
        ["gemm_gflops"] = new JsonObject(probe.GemmFlopsPerSecond.Select(rate =>
            KeyValuePair.Create(MachineProbe.TypeName(rate.Key), (JsonNode?)JsonText.Rounded(rate.Value / 1e9)))),
        ["left_out"] = BenchCommand.Texts(probe.LeftOut),
        ["call_microseconds"] = JsonText.Rounded(probe.SecondsPerCall * 1e6),
        ["device"] = ComputeDevice.Current.ToString(),
        ["processor"] = Machine.Current.Processor,
        ["cores"] = Machine.Current.Cores,
    };
}
