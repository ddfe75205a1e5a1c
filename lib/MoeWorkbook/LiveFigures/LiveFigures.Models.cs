using System.Globalization;

namespace MoeWorkbook;

public static partial class LiveFigures
{
    private static readonly int[] _bits = [.. Enum.GetValues<WeightType>().Select(WeightBytes.BitsPerWeight).Distinct().OrderDescending()];

    /// <summary>What fits where: the memory that a model holds, the bytes that it reads for one token of one sequence and the tokens a second that a memory's
    /// bandwidth allows at most, for a model, a number of bits, a context, a memory and a bandwidth that the reader chooses.</summary>
    /// <param name="models">The models to choose from; not encoder-decoders.</param>
    /// <param name="first">The id of the model that is chosen at first; null for the first one.</param>
    /// <remarks>Held: all weights and the cache of the context at 16 bits. Read: the active weights without the input embedding (a tied one is read as the
    /// head), as in <see cref="Figures.HeldAgainstRead"/>, and the cache. A gigabyte is 10⁹ bytes.</remarks>
    /// <exception cref="ArgumentException">There is no model, one has an encoder, or none has that id.</exception>
    public static LiveFigure WhatFits(IReadOnlyList<PublishedModel> models, string? first = null)
    {
        ArgumentNullException.ThrowIfNull(models);
        if (models.Count == 0) throw new ArgumentException("there is no model", nameof(models));
        if (models.FirstOrDefault(model => model.Config.Encoder is not null) is { } encoder)
            throw new ArgumentException($"{encoder.Name} has an encoder", nameof(models));
        var chosen = first is null ? 0 : models.Select(model => model.Id).ToList().IndexOf(first);
        if (chosen < 0) throw new ArgumentException($"no model has the id '{first}'", nameof(first));
        return new("what-fits", "What fits where?",
            "Choose a model and the bits of a weight; drag the context, the memory and its bandwidth. All weights must be held, and only the active ones are read for a token: the tokens a second are a bound for one sequence, when nothing but reading takes time.",
            [WhatFitsStill([models[chosen], .. models.Where((_, i) => i != chosen)])],
            new
            {
                First = chosen,
                Bits = _bits,
                Models = models.Select(model => new
                {
                    model.Name,
                    Total = ParameterCount.Of(model.Config).TotalParameters,
                    Read = Read(model),
                    Cache = model.Config.LayerAttention.CountBy(kind => kind)
                        .Select(layers => Cache(model.Config, layers.Key, layers.Value)).Where(layers => layers.Bytes > 0),
                    CacheState = KeyValueCacheSize.Bytes(model.Config, 0),
                }),
            }, "routing");
    }

    private static long Read(PublishedModel model) =>
        ParameterCount.Of(model.Config).Active(model.Config.TiedEmbeddings ? ActiveConvention.AllIn : ActiveConvention.WithoutInputEmbedding);

    private static CacheLayers Cache(ModelConfig config, AttentionKind kind, int layers) =>
        new(KeyValueCacheSize.BytesPerToken(config with { LayerAttention = [kind] }) * layers, kind switch
        {
            AttentionKind.SlidingWindow => config.Attention.SlidingWindow,
            AttentionKind.Chunked => config.Attention.ChunkSize,
            _ => null,
        });

    /// <summary>What layers of one kind of attention keep of a position, and of how many positions at most.</summary>
    private sealed record CacheLayers(long Bytes, int? Most);

    private static Svg WhatFitsStill(IReadOnlyList<PublishedModel> models)
    {
        const int row = 26;
        (string Name, double Held, double Read)[] lines =
        [
            .. models.Take(12).Select(model => (model.Name, WeightBytes.Of(ParameterCount.Of(model.Config).TotalParameters, WeightType.BFloat16) / 1e9,
                WeightBytes.Of(Read(model), WeightType.BFloat16) / 1e9)),
        ];
        var drawing = new Drawing(760, 40 + lines.Length * row);
        drawing.Text(520, 18, "held (GB)", "end", bold: true);
        drawing.Text(700, 18, "read for a token (GB)", "end", bold: true);
        for (var i = 0; i < lines.Length; i++)
        {
            drawing.Text(20, 44 + i * row, lines[i].Name, "start");
            drawing.Text(520, 44 + i * row, lines[i].Held.ToString("#,0.0", CultureInfo.InvariantCulture), "end");
            drawing.Text(700, 44 + i * row, lines[i].Read.ToString("#,0.0", CultureInfo.InvariantCulture), "end");
        }

        return drawing.ToSvg("The weights of some models at 16 bits: what must be held, and what one token reads.");
    }
}
