using System.Text.Json;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests;

/// <summary>A tiny checkpoint with the logits that independent implementations give for it.</summary>
internal sealed class GoldenCheckpoint
{
    private readonly string _directory;
    private readonly JsonElement _expected;

    public GoldenCheckpoint(string name)
    {
        _directory = Path.Combine(AppContext.BaseDirectory, "Golden", name);
        _expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(_directory, "expected.json"))).RootElement;
    }

    public ModelConfig Config => HuggingFaceConfig.Read(_directory);

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

    public Tensor TokenTensor => tensor(Tokens.Cast<long>().ToArray(), [Tokens.GetLength(0), Tokens.GetLength(1)], device: CPU);

    public float[] Logits => [.. _expected.GetProperty("logits").EnumerateArray().Select(value => value.GetSingle())];

    /// <summary>The largest difference between logits and the expected ones.</summary>
    public float LargestError(Tensor logits) => logits.to(ScalarType.Float32).cpu().data<float>().Zip(Logits, (ours, theirs) => Math.Abs(ours - theirs)).Max();

    public CausalLanguageModel Load(ScalarType? dtype = null, Device? device = null)
    {
        var model = HuggingFaceDirectory.Load(_directory, device, dtype);
        model.eval();
        return model;
    }
}
