using System.Text.Json;
using System.Text.RegularExpressions;

namespace MoeWorkbook;

/// <summary>What a <c>tokenizer.json</c> says, as far as byte-level byte-pair encoding goes. Whatever would change the tokens and is not known here is an
/// error.</summary>
internal sealed class TokenizerFile
{
    private readonly string _source;

    private TokenizerFile(JsonElement root, string source)
    {
        _source = source;
        Composes = ReadNormalizer(Optional(root, "normalizer"));
        Model = ReadModel(Required(root, "model"));
        PreTokenizer = ReadPreTokenizer(Optional(root, "pre_tokenizer"));
        ReadAddedTokens(root);
        (Before, After) = ReadPostProcessor(Optional(root, "post_processor"));
        if (Optional(root, "decoder") is { } decoder && TypeOf(decoder) != "ByteLevel")
            throw Unknown("decoder", TypeOf(decoder), "ByteLevel");
    }

    /// <summary>A token that is cut out of the text before all else.</summary>
    /// <param name="Id">Its id.</param>
    /// <param name="IsSpecial">Whether it is no text.</param>
    /// <param name="IsNormalized">Whether it is looked for in the normalised text, and itself normalised; otherwise in the text as it is, before.</param>
    public sealed record AddedToken(int Id, bool IsSpecial, bool IsNormalized);

    /// <summary>Whether texts are brought into Unicode's form C.</summary>
    public bool Composes { get; }

    public BytePairEncoding Model { get; }

    public PreTokenizer PreTokenizer { get; }

    public Dictionary<string, AddedToken> AddedTokens { get; } = new(StringComparer.Ordinal);

    /// <summary>Tokens before every text.</summary>
    public IReadOnlyList<int> Before { get; }

    /// <summary>Tokens after every text.</summary>
    public IReadOnlyList<int> After { get; }

    public static TokenizerFile Parse(string json, string source)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new() { AllowDuplicateProperties = false });
            return new(document.RootElement, source);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            // The last kind is how System.Text.Json reports a value of another kind than the one read.
            throw new CheckpointException(source, null, $"is no valid tokenizer file: {PlainMessage.Of(e)}", e);
        }
    }

    private BytePairEncoding ReadModel(JsonElement model)
    {
        // Files of older tools leave the type out.
        if (Optional(model, "type") is { } type && type.GetString() != "BPE") throw Unknown("model", type.GetString(), "BPE");
        if (Flag(model, "byte_fallback")) throw Unknown("model", "BPE with byte_fallback (SentencePiece)", "byte-level BPE");
        foreach (var affix in new[] { "continuing_subword_prefix", "end_of_word_suffix" })
        {
            if (Optional(model, affix)?.GetString() is { Length: > 0 }) throw Unknown("model", $"BPE with {affix}", "byte-level BPE");
        }

        var vocabulary = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var token in Required(model, "vocab").EnumerateObject()) vocabulary.Add(token.Name, Id(token.Value));
        if (vocabulary.Count == 0) throw new FormatException("the vocabulary is empty");
        return new(vocabulary, Required(model, "merges").EnumerateArray().Select(Merge), Flag(model, "ignore_merges"));
    }

    /// <summary>"left right", or ["left", "right"] in newer files.</summary>
    private static (string, string) Merge(JsonElement merge)
    {
        var parts = merge.ValueKind == JsonValueKind.Array ? [.. merge.EnumerateArray().Select(part => part.GetString()!)] : merge.GetString()?.Split(' ');
        return parts is [{ } left, { } right] ? (left, right) : throw new FormatException($"the merge {CheckpointException.Shortened(merge.GetRawText())} is not a pair of tokens");
    }

    private bool ReadNormalizer(JsonElement? normalizer) => normalizer is { } given && TypeOf(given) switch
    {
        "NFC" => true,
        "Sequence" => Required(given, "normalizers").EnumerateArray().Aggregate(false, (composes, part) => ReadNormalizer(part) || composes),
        var other => throw Unknown("normalizer", other, "NFC"),
    };

    private PreTokenizer ReadPreTokenizer(JsonElement? preTokenizer)
    {
        if (preTokenizer is not { } given) throw Unknown("pre_tokenizer", "null", "ByteLevel, alone or at the end of a Sequence");
        var parts = TypeOf(given) == "Sequence" ? Required(given, "pretokenizers").EnumerateArray().ToList() : [given];
        if (parts.Count == 0 || TypeOf(parts[^1]) != "ByteLevel") throw Unknown("pre_tokenizer", parts.Count == 0 ? "an empty Sequence" : TypeOf(parts[^1]), "ByteLevel, alone or at the end of a Sequence");
        return new([.. parts.Select(ReadStep)]);
    }

    private PreTokenizer.Step ReadStep(JsonElement step)
    {
        switch (TypeOf(step))
        {
            case "ByteLevel":
                return new(Flag(step, "use_regex", absent: true) ? WordPattern.Compile(PreTokenizer.Gpt2) : null) { PrefixSpace = Flag(step, "add_prefix_space", absent: true) };
            case "Digits":
                return new(WordPattern.Compile(Flag(step, "individual_digits") ? @"\p{N}" : @"\p{N}+"));
            case "Split":
                var pattern = Required(step, "pattern");
                var regex = Optional(pattern, "Regex") is { } given ? given.GetString()! : Regex.Escape(Required(pattern, "String").GetString()!);
                var inverted = Flag(step, "invert");
                return Required(step, "behavior").GetString() switch
                {
                    "Isolated" => new(WordPattern.Compile(regex)),
                    "Removed" => new(WordPattern.Compile(regex), KeepMatches: inverted, KeepRest: !inverted),
                    var other => throw Unknown("behavior of a Split", other, "Isolated and Removed"),
                };
            case var other:
                throw Unknown("pre_tokenizer", other, "Split, Digits and ByteLevel");
        }
    }

    private void ReadAddedTokens(JsonElement root)
    {
        if (Optional(root, "added_tokens") is not { } tokens) return;
        foreach (var token in tokens.EnumerateArray())
        {
            var content = Required(token, "content").GetString()!;
            foreach (var option in new[] { "single_word", "lstrip", "rstrip" })
            {
                if (Flag(token, option)) throw Unknown("added token", $"\"{CheckpointException.Shortened(content)}\" with {option}", "tokens without it");
            }

            if (content.Length == 0) throw new FormatException("an added token is empty");
            AddedTokens[content] = new(Id(Required(token, "id")), Flag(token, "special"), Flag(token, "normalized"));
        }
    }

    private (List<int> Before, List<int> After) ReadPostProcessor(JsonElement? processor)
    {
        List<int> before = [], after = [];
        if (processor is not { } given) return (before, after);
        switch (TypeOf(given))
        {
            case "ByteLevel": // moves offsets, not tokens
                break;
            case "Sequence":
                foreach (var part in Required(given, "processors").EnumerateArray())
                {
                    var (first, last) = ReadPostProcessor(part);
                    before.InsertRange(0, first);
                    after.AddRange(last);
                }

                break;
            case "TemplateProcessing":
                var specials = Required(given, "special_tokens");
                var passed = false;
                foreach (var piece in Required(given, "single").EnumerateArray())
                {
                    if (Optional(piece, "SpecialToken") is { } special)
                        (passed ? after : before).AddRange(Required(Required(specials, Required(special, "id").GetString()!), "ids").EnumerateArray().Select(Id));
                    else passed = true;
                }

                break;
            case var other:
                throw Unknown("post_processor", other, "ByteLevel, TemplateProcessing and Sequence");
        }

        return (before, after);
    }

    private static int Id(JsonElement value) =>
        value.TryGetInt32(out var id) && id is >= 0 and < int.MaxValue ? id : throw new FormatException($"a token's id is {CheckpointException.Shortened(value.GetRawText())}; it must be a whole number from 0");

    private static string? TypeOf(JsonElement element) => Required(element, "type").GetString();

    private static bool Flag(JsonElement element, string key, bool absent = false) => Optional(element, key)?.GetBoolean() ?? absent;

    private static JsonElement Required(JsonElement element, string key) =>
        Optional(element, key) ?? throw new FormatException($"the key \"{CheckpointException.Shortened(key)}\" is missing");

    private static JsonElement? Optional(JsonElement element, string key) =>
        element.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private CheckpointException Unknown(string part, string? kind, string known) =>
        new(_source, null, $"the {part} is {CheckpointException.Shortened(kind ?? "null")}; only byte-level byte-pair encoding can be read, here {known}.");
}
