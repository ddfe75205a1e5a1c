using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>The keys of rotary embeddings and of their scaling to longer contexts.</summary>
internal static class RotaryKeys
{
    /// <summary>Base, rotated share and scaling.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="theta">The base where the file does not say.</param>
    /// <param name="fraction">The rotated share of a head where the file does not say.</param>
    public static RotaryConfig Read(ConfigKeys keys, double theta, double fraction)
    {
        // Newer files gather everything about positions in one object, whose older name is rope_scaling.
        var name = keys.Has("rope_scaling") ? "rope_scaling" : "rope_parameters";
        keys.Ignore("rope_parameters", "rope_theta", "partial_rotary_factor");
        var parameters = keys.Object(name);
        if (parameters?.HasObjects == true)
            throw keys.Error(name, "describes kinds of layers one by one; one description for all layers is allowed");
        var given = (parameters?.Has("rope_theta") == true ? parameters : keys).PositiveNumber("rope_theta", theta);
        var partial = (parameters?.Has("partial_rotary_factor") == true ? parameters : keys).PositiveNumber("partial_rotary_factor", fraction);
        if (partial > 1) throw keys.Error("partial_rotary_factor", $"is {partial}; it must be above 0 and at most 1");
        return new(given) { Fraction = partial, Scaling = Scaling(parameters, keys.OptionalSize("max_position_embeddings")) };
    }

    /// <summary>Adds the keys; the older name of a scaling's kind, <c>type</c>, only DeepSeek's code asks for.</summary>
    public static void Write(JsonObject json, RotaryConfig rotary)
    {
        json["rope_theta"] = rotary.Base;
        json["rope_scaling"] = rotary.Scaling is null ? null : Scaling(rotary.Scaling);
        if (rotary.Fraction != 1) json["partial_rotary_factor"] = rotary.Fraction;
    }

    private static RotaryScaling? Scaling(ConfigKeys? keys, int? maxPositions)
    {
        var kind = keys?.Text("rope_type") ?? keys?.Text("type");
        if (keys is null || kind is null or "default") return null;
        var original = keys.OptionalSize("original_max_position_embeddings");
        // YaRN's factor may be left to the two lengths.
        var ratio = kind == "yarn" && original is not null ? maxPositions / (double)original : null;
        if (kind is "linear" or "llama3" or "yarn" && ratio is null && !keys.Has("factor")) throw keys.Missing(keys.Name("factor"));
        return new(kind, keys.PositiveNumber("factor", ratio ?? 1))
        {
            // transformers takes the longest context where the file does not say; the other kinds do not ask.
            OriginalMaxPositions = original ?? (kind is "yarn" or "llama3" ? maxPositions : null),
            BetaFast = keys.Number("beta_fast", 32),
            BetaSlow = keys.Number("beta_slow", 1),
            Truncate = keys.Flag("truncate", true),
            AttentionFactor = keys.OptionalNumber("attention_factor"),
            MScale = keys.OptionalNumber("mscale"),
            MScaleAllDimensions = keys.OptionalNumber("mscale_all_dim"),
            LowFrequencyFactor = keys.Number("low_freq_factor", 1),
            HighFrequencyFactor = keys.Number("high_freq_factor", 4),
        };
    }

    private static JsonObject Scaling(RotaryScaling scaling)
    {
        var json = new JsonObject { ["rope_type"] = scaling.Kind, ["factor"] = scaling.Factor };
        Add("original_max_position_embeddings", scaling.OriginalMaxPositions);
        if (scaling.Kind == "yarn")
        {
            json["beta_fast"] = scaling.BetaFast;
            json["beta_slow"] = scaling.BetaSlow;
            if (!scaling.Truncate) json["truncate"] = false;
            Add("attention_factor", scaling.AttentionFactor);
            Add("mscale", scaling.MScale);
            Add("mscale_all_dim", scaling.MScaleAllDimensions);
        }

        if (scaling.Kind == "llama3")
        {
            json["low_freq_factor"] = scaling.LowFrequencyFactor;
            json["high_freq_factor"] = scaling.HighFrequencyFactor;
        }

        return json;

        void Add(string key, double? value)
        {
            if (value is not { } number) return;
            json[key] = number == Math.Floor(number) && Math.Abs(number) < 1e15 ? JsonValue.Create((long)number) : JsonValue.Create(number);
        }
    }
}
