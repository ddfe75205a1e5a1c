using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;

namespace MoeWorkbook.Cli;

/// <summary><c>bench --record</c>: the benchmarks one after another into one file, with the machine, the date and the exact commands.</summary>
internal static class BenchRecording
{
    // On a GPU a layer of Mixtral's size, and a model of sixteen of them in 47 GB; on the CPU what the commands measure by default.
    private static readonly string[] _onGpu =
    [
        "probe",
        "moe-layer --dtypes bfloat16 --tokens 1,2,4,8,16,64,256,1024,4096",
        "decode --dtype bfloat16 --hidden 4096 --ffn 14336 --layers 16 --batch 1,4,16",
        "prefill --dtype bfloat16 --hidden 4096 --ffn 14336 --layers 16 --tokens 64,256,1024",
        "train --hidden 256 --ffn 512 --layers 4 --heads 8 --batch 64 --sequence 128",
    ];

    private static readonly string[] _onCpu = ["probe", "moe-layer", "decode", "prefill", "train"];

    /// <summary>Runs the benchmarks that a device is recorded by.</summary>
    /// <param name="bench">The command <c>bench</c>.</param>
    /// <param name="path">The file to write.</param>
    /// <param name="only">What to run instead, commands of <c>bench</c> with semicolons between; null for all.</param>
    /// <exception cref="CommandException">A benchmark failed; nothing is written then.</exception>
    public static void Record(Command bench, string path, string? only)
    {
        var device = ComputeDevice.Current;
        string[] commands = only is null ? device.type == TorchSharp.DeviceType.CPU ? _onCpu : _onGpu : only.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var results = new JsonArray();
        foreach (string command in commands)
        {
            BenchCommand.Progress(command);
            results.Add(new JsonObject { ["command"] = $"./workbook bench {command} --json", ["result"] = Run(bench, command) });
        }

        var recording = new JsonObject
        {
            ["command"] = $"./workbook bench --record {path}{(only is null ? "" : $" --only \"{only}\"")}",
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["device"] = device.ToString(),
            ["gpu"] = device.type == TorchSharp.DeviceType.CPU ? null : Gpu(device.index),
            ["processor"] = Machine.Current.Processor,
            ["cores"] = Machine.Current.Cores,
            ["packages"] = new JsonObject(Machine.Current.Packages.Select(package => KeyValuePair.Create(package.Key, (JsonNode?)package.Value))),
            ["results"] = results,
        };
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        string next = path + ".next";
        File.WriteAllText(next, recording.ToJsonString(new() { WriteIndented = true }) + "\n");
        File.Move(next, path, overwrite: true);
    }

    /// <summary>What a benchmark prints.</summary>
    private static JsonNode Run(Command bench, string command)
    {
        var console = Console.Out;
        using var printed = new StringWriter();
        Console.SetOut(printed);
        try
        {
            int code = bench.Parse(command + " --json").Invoke(new() { EnableDefaultExceptionHandler = false });
            return code == 0 ? JsonNode.Parse(printed.ToString())! : throw new CommandException($"'bench {command}' ended with {code}; nothing was recorded.");
        }
        finally
        {
            Console.SetOut(console);
        }
    }

    /// <summary>Name, driver and memory of a GPU, as NVIDIA's own tool prints them; null where it is not there.</summary>
    private static string? Gpu(int index)
    {
        try
        {
            string[] arguments = ["--query-gpu=name,driver_version,memory.total", "--format=csv,noheader", $"--id={Math.Max(0, index)}"];
            using var process = Process.Start(new ProcessStartInfo("nvidia-smi", arguments) { RedirectStandardOutput = true });
            return process?.StandardOutput.ReadToEnd().Trim();
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
