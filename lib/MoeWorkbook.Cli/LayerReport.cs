using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace MoeWorkbook.Cli;

/// <summary>What <c>bench moe-layer</c> prints: as JSON each row when it is measured, as text a line of progress and tables at the end. A benchmark that is
/// stopped (Ctrl-C, SIGTERM) ends with what it has, and the JSON is whole.</summary>
internal sealed class LayerReport : IDisposable
{
    private readonly Lock _writing = new();
    private readonly ArrayBufferWriter<byte> _buffer = new();
    private readonly Utf8JsonWriter? _json;
    private readonly List<LayerRow> _rows = [];
    private readonly List<string> _leftOut = [];
    private readonly SortedSet<string> _versions = [];
    private readonly PosixSignalRegistration[] _signals;
    private bool _ended;

    /// <summary>Begins with the limits of the machine.</summary>
    public LayerReport(MachineProbe probe, bool json)
    {
        foreach (var sentence in probe.LeftOut) BenchCommand.Progress(sentence);
        if (json)
        {
            _json = new(_buffer, new() { Indented = true });
            _json.WriteStartObject();
            _json.WritePropertyName("probe");
            BenchProbe.ToJson(probe).WriteTo(_json);
            _json.WriteStartArray("rows");
            Flush();
        }
        else
        {
            Console.WriteLine($"{probe}\n");
        }

        _signals = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM }.Select(signal => PosixSignalRegistration.Create(signal, Stop))];
    }

    /// <summary>Adds a row.</summary>
    public void Add(LayerRow row)
    {
        lock (_writing)
        {
            _rows.Add(row);
            BenchCommand.Progress($"{row}");
            if (_json is null) return;
            row.ToJson().WriteTo(_json);
            Flush();
        }
    }

    /// <summary>Says what is not measured, and why.</summary>
    public void LeaveOut(string sentence)
    {
        lock (_writing) _leftOut.Add(sentence);
        BenchCommand.Progress($"left out: {sentence}");
    }

    /// <summary>Names the PyTorch that took part.</summary>
    public void Name(string version)
    {
        lock (_writing) _versions.Add(version);
    }

    /// <summary>Ends what is printed.</summary>
    public void Dispose()
    {
        foreach (var signal in _signals) signal.Dispose();
        End(stopped: false);
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        End(stopped: true);
        Environment.Exit(context.Signal == PosixSignal.SIGINT ? 130 : 143);
    }

    private void End(bool stopped)
    {
        lock (_writing)
        {
            if (_ended) return;
            _ended = true;
            if (_json is null)
            {
                if (_rows.Count > 0) Console.WriteLine(LayerRow.ToText(_rows));
                foreach (var sentence in _leftOut) Console.WriteLine($"left out: {sentence}");
                if (stopped) Console.WriteLine("stopped before the end");
                return;
            }

            _json.WriteEndArray();
            _json.WritePropertyName("left_out");
            BenchCommand.Texts(_leftOut).WriteTo(_json);
            _json.WriteString("pytorch", BenchCommand.Joined(_versions));
            _json.WriteBoolean("stopped", stopped);
            _json.WriteEndObject();
            Flush();
            Console.WriteLine();
            _json.Dispose();
        }
    }

    private void Flush()
    {
        _json!.Flush();
        Console.Write(Encoding.UTF8.GetString(_buffer.WrittenSpan));
        Console.Out.Flush();
        _buffer.Clear();
    }
}
