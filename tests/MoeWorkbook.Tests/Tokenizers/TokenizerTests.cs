using System.Text;
using System.Text.Json.Nodes;
using CsCheck;

namespace MoeWorkbook.Tests.Tokenizers;

public sealed class TokenizerTests
{
    private const string Llama3 = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    [Fact]
    public void Pairs_are_merged_in_the_order_of_the_merges_not_of_the_text()
    {
        // "abab c": a b a b → with "b a" first: a ba b; then "a ba" → aba b.
        var tokenizer = Make(["b a", "a ba", "a b"]);
        Assert.Equal(["aba", "b"], Tokens(tokenizer, "abab"));
        Assert.Equal(["ab"], Tokens(tokenizer, "ab"));
    }

    [Fact]
    public void Equal_pairs_are_merged_from_the_left()
    {
        var tokenizer = Make(["a a"]);
        Assert.Equal(["aa", "aa", "a"], Tokens(tokenizer, "aaaaa"));
    }

    [Fact]
    public void Merges_as_pairs_and_as_texts_are_the_same()
    {
        var pairs = Make(["a b", "ab c"], json => json["model"]!["merges"] = new JsonArray(new JsonArray("a", "b"), new JsonArray("ab", "c")));
        Assert.Equal(["abc", "ab"], Tokens(pairs, "abcab"));
    }

    [Theory]
    [InlineData("I'LL pay $12345!!\n\n  now", "I|'LL| pay| $|123|45|!!\n\n| | now")]
    [InlineData("a  b", "a| | b")]
    [InlineData("x\t\ty ", "x|\t|\ty| ")]
    [InlineData("été 東京", "été| 東京")]
    [InlineData("𝐀𝐁𝟏𝟐𝟑𝟒😀a", "𝐀𝐁|𝟏𝟐𝟑|𝟒|😀a")] // letters, digits and a sign outside of the first plane
    public void Words_are_cut_as_the_files_pattern_says(string text, string words)
    {
        var step = new PreTokenizer([new(WordPattern.Compile(Llama3))]);
        Assert.Equal(words, string.Join('|', step.Words(text)));
    }

    [Theory]
    [InlineData("it's 12 o'clock", "it|'s| 12| o|'|clock")]
    [InlineData("a   b", "a|  | b")]
    [InlineData("end. ", "end|.| ")]
    public void GPT_2s_words(string text, string words) =>
        Assert.Equal(words, string.Join('|', new PreTokenizer([new(WordPattern.Compile(PreTokenizer.Gpt2))]).Words(text)));

    [Fact]
    public void Several_steps_cut_one_after_another()
    {
        var steps = new PreTokenizer([new(WordPattern.Compile(@"\p{N}{1,3}")), new(WordPattern.Compile("[一-龥]+")), new(WordPattern.Compile(PreTokenizer.Gpt2))]);
        Assert.Equal("ab|123|4|x|東京|y", string.Join('|', steps.Words("ab1234x東京y")));
    }

    [Fact]
    public void Possessive_quantifiers_are_understood()
    {
        var steps = new PreTokenizer([new(WordPattern.Compile(@"[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s+"))]);
        Assert.Equal("a| b|12|!!\n", string.Join('|', steps.Words("a b12!!\n")));
    }

    [Fact]
    public void Matches_can_be_all_that_is_kept_or_all_that_is_dropped()
    {
        Assert.Equal(["ab", "c"], Tokens(Make(["a b"], json => PreTokenize(json, Split("-", "Removed", isRegex: false))), "ab-c"));
        Assert.Equal(["ab", "c"], Tokens(Make(["a b"], json => PreTokenize(json, Split("[a-z]+", "Removed", invert: true))), "ab-c"));
    }

    [Fact]
    public void Every_text_decodes_to_itself()
    {
        var tokenizer = Make(["a b", "Ġ a", "Ã ©"]);
        var letter = Gen.OneOf(Gen.Int[0x20, 0x7E], Gen.Const<int>('a'), Gen.Const(0xE9), Gen.Int[0x1F300, 0x1F5FF], Gen.Int[0x20, 0xD7FE]);
        letter.Array[0, 39].Select(letters => string.Concat(letters.Select(code => new Rune(code))))
            .Holds(300, text => Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text))));
    }

    [Fact]
    public void A_token_may_hold_part_of_a_character()
    {
        var tokenizer = Make([]);
        var ids = tokenizer.Encode("é");
        Assert.Equal(2, ids.Length);
        Assert.Equal([0xC3], tokenizer.BytesOf(ids[0]).ToArray());
        Assert.Equal("\uFFFD", tokenizer.Decode(ids[..1]));
        Assert.Empty(tokenizer.BytesOf(99999).ToArray());
    }

    [Fact]
    public void Added_tokens_are_cut_out_first_and_the_longest_wins()
    {
        var tokenizer = Make(["a b"], json => json["added_tokens"] = new JsonArray(Added(500, "<|end|>", special: true), Added(501, "<|end|>now"), Added(502, "ab ")));
        Assert.Equal([502, 500, 501], tokenizer.Encode("ab <|end|><|end|>now"));
        Assert.Equal("ab <|end|>now", tokenizer.Decode([502, 500, 501]));
        Assert.Equal("ab <|end|><|end|>now", tokenizer.Decode([502, 500, 501], skipSpecialTokens: false));
        Assert.Equal(500, tokenizer.IdOf("<|end|>"));
        Assert.Null(tokenizer.IdOf("no such token"));
        Assert.Equal(503, tokenizer.VocabularySize);
    }

    [Fact]
    public void A_template_puts_tokens_around_the_text()
    {
        var tokenizer = Make([], json =>
        {
            json["added_tokens"] = new JsonArray(Added(500, "<s>", special: true), Added(501, "</s>", special: true));
            json["post_processor"] = JsonNode.Parse("""
                {"type":"Sequence","processors":[{"type":"ByteLevel"},{"type":"TemplateProcessing",
                "single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"</s>","type_id":0}}],
                "pair":[],"special_tokens":{"<s>":{"id":"<s>","ids":[500],"tokens":["<s>"]},"</s>":{"id":"</s>","ids":[501],"tokens":["</s>"]}}}]}
                """);
        });
        Assert.Equal([500, 'a' - '!', 501], tokenizer.Encode("a"));
        Assert.Equal(['a' - '!'], tokenizer.Encode("a", addSpecialTokens: false));
        Assert.Equal("a", tokenizer.Decode(tokenizer.Encode("a")));
    }

    [Fact]
    public void Texts_are_normalised_where_the_file_says_so()
    {
        var tokenizer = Make([], json => json["normalizer"] = JsonNode.Parse("""{"type":"NFC"}"""));
        Assert.Equal("é", tokenizer.Decode(tokenizer.Encode("e\u0301")));
    }

    [Fact]
    public void A_word_that_is_a_token_is_taken_whole_where_merges_are_ignored()
    {
        void AddWord(JsonNode json) => json["model"]!["vocab"]!["abc"] = 400;
        Assert.Equal(["a", "b", "c"], Tokens(Make([], AddWord), "abc"));
        Assert.Equal(["abc"], Tokens(Make([], json =>
        {
            AddWord(json);
            json["model"]!["ignore_merges"] = true;
        }), "abc"));
    }

    [Fact]
    public void A_prefix_space_is_added_where_the_file_says_so() =>
        Assert.Equal(["Ġ", "a"], Tokens(Make([], json => json["pre_tokenizer"]!["add_prefix_space"] = true), "a"));

    [Fact]
    public void A_word_of_a_hundred_thousand_letters_takes_no_quadratic_time()
    {
        var tokenizer = Make(["a a", "aa aa", "aaaa aaaa"]);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.Equal(12_500, tokenizer.Encode(new string('a', 100_000)).Length);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"it took {watch.Elapsed}");
    }

    [Theory]
    [InlineData("model", """{"type":"Unigram","vocab":[]}""", "Unigram")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0},"merges":[],"byte_fallback":true}""", "byte_fallback")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0},"merges":["a b"]}""", "\"b\"")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0},"merges":["a"]}""", "pair")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":-1},"merges":[]}""", "-1")]
    [InlineData("model", """{"type":"BPE","vocab":{},"merges":[]}""", "empty")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0}}""", "\"merges\" is missing")]
    [InlineData("model", "null", "\"model\" is missing")]
    [InlineData("pre_tokenizer", """{"type":"Metaspace"}""", "Metaspace")]
    [InlineData("pre_tokenizer", "null", "ByteLevel")]
    [InlineData("pre_tokenizer", """{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"},{"type":"ByteLevel"}]}""", "pattern")]
    [InlineData("pre_tokenizer", """{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"a"},"behavior":"MergedWithNext"},{"type":"ByteLevel"}]}""", "MergedWithNext")]
    [InlineData("normalizer", """{"type":"Lowercase"}""", "Lowercase")]
    [InlineData("post_processor", """{"type":"BertProcessing"}""", "BertProcessing")]
    [InlineData("decoder", """{"type":"WordPiece"}""", "WordPiece")]
    [InlineData("added_tokens", """[{"id":1,"content":"x","lstrip":true}]""", "lstrip")]
    [InlineData("added_tokens", "7", "no valid tokenizer")]
    public void Another_kind_of_tokenizer_is_a_clear_error(string part, string json, string word)
    {
        var error = Assert.Throws<CheckpointException>(() => Make([], file => file[part] = JsonNode.Parse(json)));
        Assert.Contains(word, error.Message);
    }

    [Fact]
    public void No_mutated_file_does_anything_but_load_or_fail_with_the_documented_exception()
    {
        var file = MakeJson(["a b", "ab c"], json =>
        {
            json["model"]!["vocab"] = JsonNode.Parse("""{"a":0,"b":1,"c":2,"ab":3,"abc":4}""");
            json["added_tokens"] = new JsonArray(Added(5, "<|end|>", special: true));
            json["normalizer"] = JsonNode.Parse("""{"type":"NFC"}""");
            json["post_processor"] = JsonNode.Parse("""{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x","type_id":0}},{"Sequence":{"id":"A"}}],"special_tokens":{"x":{"ids":[5]}}}""");
            PreTokenize(json, Split("[a-z]+", "Isolated"));
        });
        Mutation.OfText(file).Holds(2000, mutated =>
        {
            try
            {
                var tokenizer = Tokenizer.Parse(mutated);
                tokenizer.Decode(tokenizer.Encode("abc <|end|> é😀"));
            }
            catch (CheckpointException)
            {
            }
        });
    }

    private static Tokenizer Make(string[] merges, Action<JsonNode>? change = null) => Tokenizer.Parse(MakeJson(merges, change));

    /// <summary>A tokenizer with a token for each byte, in the order of the byte alphabet, and one for each merge.</summary>
    private static string MakeJson(string[] merges, Action<JsonNode>? change = null)
    {
        var alphabet = Enumerable.Range('!', 94).Concat(Enumerable.Range(0xA1, 12)).Concat(Enumerable.Range(0xAE, 82)).Concat(Enumerable.Range(256, 68))
            .Select(c => ((char)c).ToString());
        var vocabulary = alphabet.Concat(merges.Select(m => m.Replace(" ", "", StringComparison.Ordinal))).Distinct()
            .Select((token, id) => KeyValuePair.Create(token, (JsonNode?)id));
        var json = new JsonObject
        {
            ["version"] = "1.0",
            ["added_tokens"] = new JsonArray(),
            ["normalizer"] = null,
            ["pre_tokenizer"] = JsonNode.Parse("""{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}"""),
            ["post_processor"] = JsonNode.Parse("""{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false}"""),
            ["decoder"] = JsonNode.Parse("""{"type":"ByteLevel"}"""),
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["vocab"] = new JsonObject(vocabulary),
                ["merges"] = new JsonArray([.. merges.Select(m => JsonValue.Create(m))])
            },
        };
        change?.Invoke(json);
        return json.ToJsonString();
    }

    private static JsonObject Added(int id, string content, bool special = false) => new() { ["id"] = id, ["content"] = content, ["special"] = special, ["normalized"] = false };

    private static JsonObject Split(string pattern, string behavior, bool invert = false, bool isRegex = true) =>
        new() { ["type"] = "Split", ["pattern"] = new JsonObject { [isRegex ? "Regex" : "String"] = pattern }, ["behavior"] = behavior, ["invert"] = invert };

    private static void PreTokenize(JsonNode json, JsonObject step) =>
        json["pre_tokenizer"] = new JsonObject { ["type"] = "Sequence", ["pretokenizers"] = new JsonArray(step, JsonNode.Parse("""{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}""")) };

    /// <summary>The tokens of a text as the vocabulary writes them.</summary>
    private static string[] Tokens(Tokenizer tokenizer, string text) =>
        [.. tokenizer.Encode(text).Select(id => tokenizer.Decode([id]).Replace(' ', 'Ġ'))];

    [Theory]
    [InlineData("qwen2-tokenizer.json")]
    [InlineData("deepseek-llm-tokenizer.json")]
    public void Texts_have_the_ids_that_the_Hugging_Face_library_gives_them(string file)
    {
        // The ids are those of the Rust library tokenizers, in the package Tokenizers.DotNet 1.4.1.
        var folder = Path.Combine(AppContext.BaseDirectory, "Tokenizers");
        var tokenizer = Tokenizer.Load(Path.Combine(folder, file));
        foreach (var expected in JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "tokenizer-cases.json")))![file]!.AsArray())
        {
            var text = expected!["text"]!.GetValue<string>();
            Assert.True(expected["ids"]!.AsArray().Select(id => id!.GetValue<int>()).SequenceEqual(tokenizer.Encode(text)), text);
        }
    }

    [Theory] // Of Unicode's NormalizationTest.txt 15.0, a line for each rule: singletons, exclusions, order of marks, blocked marks, Hangul, beyond U+FFFF.
    [InlineData("\u212B", "\u00C5")]
    [InlineData("\u0958", "\u0915\u093C")]
    [InlineData("\u1E0A\u0323", "\u1E0C\u0307")]
    [InlineData("a\u0315\u0300\u05AE\u0300b", "\u00E0\u05AE\u0300\u0315b")]
    [InlineData("\u0061\u0334\u0301", "\u00E1\u0334")]
    [InlineData("\u1100\u1161\u11A8", "\uAC01")]
    [InlineData("\uAC00\u11A8", "\uAC01")]
    [InlineData("\u1100\u0300\u1161", "\u1100\u0300\u1161")]
    [InlineData("\U00011131\U00011127", "\U0001112E")]
    [InlineData("\U0001D15E", "\U0001D157\U0001D165")]
    [InlineData("\u0344", "\u0308\u0301")]
    [InlineData("plain \u00E9", "plain \u00E9")]
    public void Texts_are_composed_as_Unicode_says(string text, string composed)
    {
        Assert.Equal(composed, UnicodeComposition.Compose(text));
        Assert.Equal(composed, UnicodeComposition.Compose(composed));
    }

    [Theory]
    [InlineData("[𐐀-𐑏]+", "𐐀𐐷a𝐀", "𐐀𐐷|a𝐀")]
    [InlineData(@"[\x{10400}-\u{1044F}]+", "𐐀𐐷a", "𐐀𐐷|a")]
    [InlineData("😀", "a😀😁b", "a|😀|😁b")]
    [InlineData("[^😀]+", "a😁😀b", "a😁|😀|b")]
    [InlineData("[一-𪛖]+", "a一𠀀\U0002A700", "a|一𠀀|\U0002A700")]
    [InlineData(@"[ø-ƺ]+", "āa𝐀𝐚", "ā|a𝐀𝐚")] // what stands for a letter is in no range that is written out
    [InlineData(@"\p{Lu}[𐐨-𐑏]", "𐐀𐐷Ꟶ", "𐐀𐐷|Ꟶ")]
    public void Characters_beyond_the_first_plane_may_be_named_in_patterns(string pattern, string text, string words) =>
        Assert.Equal(words, string.Join('|', new PreTokenizer([new(WordPattern.Compile(pattern))]).Words(text)));

    [Fact]
    public void Added_tokens_are_looked_for_in_the_normalised_text_where_they_say_so()
    {
        var tokenizer = Make([], json =>
        {
            json["normalizer"] = JsonNode.Parse("""{"type":"NFC"}""");
            var normalized = Added(500, "xe\u0301");
            normalized["normalized"] = true;
            json["added_tokens"] = new JsonArray(normalized, Added(501, "ya\u0301"));
        });
        Assert.Equal([500, 500, 501], tokenizer.Encode("xéxe\u0301ya\u0301"));
        Assert.Equal(3, tokenizer.Encode("yá").Length); // the letter, and the two bytes of the accented one
    }
}
