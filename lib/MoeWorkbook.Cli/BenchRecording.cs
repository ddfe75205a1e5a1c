using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MoeWorkbook.Cli;

/// <summary><c>bench --record</c>: the benchmarks one after another into one file, with the machine, the date and the exact commands.</summary>
internal static class BenchRecording
{
    private static readonly string[] _onCpu = ["probe", "moe-layer", "decode", "prefill", "train"];

    /// <summary>Runs the benchmarks that a device is recorded by.</summary>
    /// <param name="bench">The command <c>bench</c>.</param>
    /// <param name="path">The file to write.</param>
    /// <param name="only">What to run instead, commands of <c>bench</c> with semicolons between; null for all.</param>
    /// <exception cref="CommandException">A benchmark failed; what was measured before it is in FILE.part, as it is when the run is cut off.</exception>
    public static void Record(Command bench, string path, string? only)
    {
        var (machine, device) = (Machine.Current, ComputeDevice.Current);
        var commands = only?.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            ?? (device.type == TorchSharp.DeviceType.CPU ? _onCpu : OnGpu(machine.Gpu?.FreeBytes));
        if (commands.Length == 0) throw new CommandException("--only names no benchmark; bench --help lists them.");
        string asked = $"./workbook bench --record {path}{(only is null ? "" : $" --only \"{only}\"")}", part = path + ".part";
        var recording = new BenchmarkRecording(RecordingOrigin.Here(asked, device), []);
        foreach (var command in commands)
        {
            BenchCommand.Progress(command);
            var result = Run(bench, command);
            recording = recording with { Results = [.. recording.Results, new($"./workbook bench {command} --json", result)] };
            if ((string?)result["pytorch"] is { } version) recording =
                recording with { Origin = recording.Origin with { Packages = new Dictionary<string, string>(machine.Packages) { ["PyTorch"] = version } } };
            recording.Write(part);
        }

        File.Move(part, path, overwrite: true);
    }

    /// <summary>What a GPU is recorded by: a layer of Mixtral's size and one of Qwen3-30B-A3B's, which has many small experts, a model of as many such layers
    /// as fill seven tenths of its free memory, Mixtral's 32 at most, and the training of chapter 09's model and of a larger one.</summary>
    /// <param name="freeBytes">Free memory; null where it is not known, which makes a model of 24 GB.</param>
    internal static string[] OnGpu(long? freeBytes)
    {
        const string layer = "moe-layer --dtypes bfloat16", size = "--dtype bfloat16 --hidden 4096 --intermediate-size 14336";
        const double bytesOfLayer = 2.9e9;
        var layers = freeBytes is { } free ? Math.Clamp((int)(0.7 * free / bytesOfLayer), 1, 32) : 8;
        return
        [
            "probe",
            $"{layer} --tokens 1,2,4,8,16,64,256,1024,4096",
            $"{layer} --tokens 256,1024,4096 --routing collapsed",
            $"{layer} --hidden 2048 --intermediate-size 768 --experts 128 --top-k 8 --tokens 1,16,256,1024,4096",
            string.Create(CultureInfo.InvariantCulture, $"decode {size} --layers {layers} --batch 1,4,16,64"),
            string.Create(CultureInfo.InvariantCulture, $"prefill {size} --layers {layers} --tokens 64,256,1024,2048"),
            "train --hidden 48 --heads 3 --intermediate-size 32 --experts 16 --top-k 1",
            "train --hidden 512 --heads 8 --intermediate-size 1024 --layers 6 --batch 64 --sequence 256",
        ];
    }

    /// <summary>What a benchmark prints.</summary>
    private static JsonObject Run(Command bench, string command)
    {
        var console = Console.Out;
        using var printed = new StringWriter();
        Console.SetOut(printed);
        try
        {
            var code = bench.Parse(command + " --json").Invoke(new() { EnableDefaultExceptionHandler = false });
            return code == 0 ? JsonNode.Parse(printed.ToString())!.AsObject() : throw new CommandException($"'bench {command}' ended with {code}; the recording is not complete.");
        }
        catch (JsonException e)
        {
            throw new CommandException($"'bench {command}' printed no JSON object ({e.Message}); the recording is not complete.");
        }
        finally
        {
            Console.SetOut(console);
        }
    }
}
