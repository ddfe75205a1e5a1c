using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests;

/// <summary>A tiny checkpoint with the logits that independent implementations give for it.</summary>
internal sealed partial class GoldenCheckpoint
{
    private readonly Dictionary<string, (long[] Shape, float[] Values)> _tensors = [];
    private readonly JsonElement _expected;

    public GoldenCheckpoint(string name)
    {
        var directory = Path.Combine(AppContext.BaseDirectory, "Golden", name);
        Config = HuggingFaceConfig.Read(directory);
        _expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(directory, "expected.json"))).RootElement;
        var file = File.ReadAllBytes(Path.Combine(directory, "model.safetensors"));
        var headerLength = (int)BinaryPrimitives.ReadUInt64LittleEndian(file);
        var header = JsonDocument.Parse(file.AsMemory(8, headerLength)).RootElement;
        foreach (var tensor in header.EnumerateObject().Where(entry => entry.Name != "__metadata__"))
        {
            Assert.Equal("F32", tensor.Value.GetProperty("dtype").GetString());
            var offsets = tensor.Value.GetProperty("data_offsets");
            var (start, end) = (8 + headerLength + offsets[0].GetInt32(), 8 + headerLength + offsets[1].GetInt32());
            var shape = tensor.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()).ToArray();
            _tensors[tensor.Name] = (shape, MemoryMarshal.Cast<byte, float>(file.AsSpan(start, end - start)).ToArray());
        }
    }

    public ModelConfig Config { get; }

    public long[,] Tokens
    {
        get
        {
            var rows = _expected.GetProperty("tokens").EnumerateArray().Select(row => row.EnumerateArray().Select(id => id.GetInt64()).ToArray()).ToArray();
            var tokens = new long[rows.Length, rows[0].Length];
            for (var i = 0; i < rows.Length; i++)
                for (var j = 0; j < rows[i].Length; j++) tokens[i, j] = rows[i][j];
            return tokens;
        }
    }

    public Tensor TokenTensor => tensor(Tokens.Cast<long>().ToArray(), [Tokens.GetLength(0), Tokens.GetLength(1)]);

    public float[] Logits => [.. _expected.GetProperty("logits").EnumerateArray().Select(value => value.GetSingle())];

    /// <summary>Every device that is there.</summary>
    public static IEnumerable<Device> Devices => cuda.is_available() ? [CPU, CUDA] : [CPU];

    public CausalLanguageModel Load(ScalarType? dtype = null, Device? device = null)
    {
        var model = new CausalLanguageModel(Config, new WeightFactory(device, dtype) { LeaveUninitialized = true });
        model.eval();
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var used = new HashSet<string>();
        foreach (var (name, parameter) in model.named_parameters()) parameter.copy_(Published(name, used));
        Assert.Empty(_tensors.Keys.Except(used));
        return model;
    }

    /// <summary>The tensor of one of our names, put together from the family's published names.</summary>
    private Tensor Published(string name, HashSet<string> used)
    {
        var experts = ExpertName().Match(name);
        if (experts.Success && !_tensors.ContainsKey(name))
        {
            var layer = experts.Groups["layer"].Value;
            var (prefix, gate, up, down) = Config.ModelType == "mixtral" ? ($"{layer}.block_sparse_moe", "w1", "w3", "w2") : ($"{layer}.mlp", "gate_proj", "up_proj", "down_proj");
            return stack(Enumerable.Range(0, Config.Moe!.ExpertCount).Select(e => experts.Groups["part"].Value == "down_proj"
                ? Read($"{prefix}.experts.{e}.{down}.weight", used)
                : cat([Read($"{prefix}.experts.{e}.{gate}.weight", used), Read($"{prefix}.experts.{e}.{up}.weight", used)], 0)), 0);
        }

        if (Config.ModelType == "gpt_oss")
        {
            if (name.Contains(".mlp.gate.", StringComparison.Ordinal)) return Read(name.Replace(".mlp.gate.", ".mlp.router.", StringComparison.Ordinal), used);
            var published = name.Contains(".experts.", StringComparison.Ordinal) ? Read(name, used) : null;
            if (name.EndsWith("gate_up_proj", StringComparison.Ordinal)) return Deinterleaved(published!).transpose(1, 2); // published [experts, hidden, 2·ffn]
            if (name.EndsWith("gate_up_proj_bias", StringComparison.Ordinal)) return Deinterleaved(published!);
            if (name.EndsWith("down_proj", StringComparison.Ordinal)) return published!.transpose(1, 2); // published [experts, ffn, hidden]
        }

        if (Config.ModelType == "mixtral") name = name.Replace(".mlp.", ".block_sparse_moe.", StringComparison.Ordinal);
        if (Config.ModelType is "deepseek" or "deepseek_v3" or "glm4_moe") name = name.Replace(".shared_expert.", ".shared_experts.", StringComparison.Ordinal);
        return Read(name, used);
    }

    /// <summary>gpt-oss lays gate and value alternately; ours are gate, then value.</summary>
    private static Tensor Deinterleaved(Tensor tensor) => tensor.unflatten(-1, -1, 2).transpose(-1, -2).flatten(-2, -1);

    private Tensor Read(string name, HashSet<string> used)
    {
        used.Add(name);
        var (shape, values) = _tensors[name];
        return tensor(values, shape);
    }

    [GeneratedRegex(@"^(?<layer>model\.layers\.\d+)\.mlp\.experts\.(?<part>gate_up_proj|down_proj)$")]
    private static partial Regex ExpertName();
}
