using System.Text;
using System.Text.RegularExpressions;

namespace MoeWorkbook;

/// <summary>Text to token ids and back, by the byte-level byte-pair encoding (Sennrich et al. 2016; Radford et al. 2019) of a Hugging Face
/// <c>tokenizer.json</c>: that of GPT-2, Llama 3, Qwen, OLMoE, GLM-4.5, DeepSeek and gpt-oss.</summary>
/// <remarks>Special tokens are cut out first, then the text is normalised, cut into words by the file's regular expressions, and each word's bytes are merged
/// pair by pair.</remarks>
public sealed class Tokenizer
{
    private readonly TokenizerFile _file;
    private readonly Dictionary<int, byte[]> _bytes;
    private readonly (Regex Pattern, Dictionary<string, int> Ids)? _rawTokens;
    private readonly (Regex Pattern, Dictionary<string, int> Ids)? _normalizedTokens;

    private Tokenizer(TokenizerFile file)
    {
        _file = file;
        _bytes = file.Model.TokenBytes();
        foreach (var (content, added) in file.AddedTokens) _bytes[added.Id] = Encoding.UTF8.GetBytes(content);
        _rawTokens = Finder(file.AddedTokens.Where(token => !token.Value.IsNormalized).Select(token => (token.Key, token.Value.Id)));
        _normalizedTokens = Finder(file.AddedTokens.Where(token => token.Value.IsNormalized).Select(token => (Normalized(token.Key), token.Value.Id)));
    }

    /// <summary>Reads a <c>tokenizer.json</c>.</summary>
    /// <param name="path">The file, or a directory that holds it.</param>
    /// <exception cref="CheckpointException">The file cannot be read, its content is wrong, or it is of another kind than byte-level byte-pair encoding; the
    /// message says what and what is known.</exception>
    public static Tokenizer Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var json = Directory.Exists(path) ? Path.Combine(path, "tokenizer.json") : path;
        string text;
        try
        {
            text = File.ReadAllText(json);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new CheckpointException(json, null, $"the file cannot be read: {e.Message}", e);
        }

        return Parse(text, json);
    }

    /// <summary>Reads the text of a <c>tokenizer.json</c>.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">What the messages call it.</param>
    /// <exception cref="CheckpointException">The content is wrong, or of another kind than byte-level byte-pair encoding.</exception>
    public static Tokenizer Parse(string json, string source = "tokenizer.json")
    {
        ArgumentNullException.ThrowIfNull(json);
        return new(TokenizerFile.Parse(json, source));
    }

    /// <summary>One more than the largest token id.</summary>
    public int VocabularySize => _bytes.Keys.Max() + 1;

    /// <summary>The id of a token by its text in the file, such as <c>&lt;|endoftext|&gt;</c>; null where there is none.</summary>
    /// <param name="token">The token as the file writes it.</param>
    public int? IdOf(string token) =>
        _file.AddedTokens.TryGetValue(token, out var added) ? added.Id : _file.Model.IdOf(token);

    /// <summary>The bytes that a token stands for: UTF-8 of a text, or of a part of one that may begin or end inside a character.</summary>
    /// <param name="token">The token's id.</param>
    /// <returns>The bytes; none where no token has that id.</returns>
    public ReadOnlyMemory<byte> BytesOf(int token) => _bytes.GetValueOrDefault(token, []);

    /// <summary>Encodes a text.</summary>
    /// <param name="text">The text. Special tokens may be written in it.</param>
    /// <param name="addSpecialTokens">Whether what the file puts around every text, such as a token for its beginning, is added.</param>
    /// <returns>The token ids. A byte for which the vocabulary has no token is left out.</returns>
    public int[] Encode(string text, bool addSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>();
        if (addSpecialTokens) ids.AddRange(_file.Before);
        // A half of a surrogate pair has no bytes; it becomes U+FFFD here as it would there.
        text = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
        Cut(text, _rawTokens, ids, raw => Cut(Normalized(raw), _normalizedTokens, ids, plain =>
        {
            foreach (var word in _file.PreTokenizer.Words(plain)) _file.Model.Encode(word, ids);
        }));
        if (addSpecialTokens) ids.AddRange(_file.After);
        return [.. ids];
    }

    /// <summary>Decodes token ids.</summary>
    /// <param name="tokens">The ids; those of no token are passed over.</param>
    /// <param name="skipSpecialTokens">Whether special tokens are left out.</param>
    /// <returns>The text; bytes that are no UTF-8 become U+FFFD.</returns>
    public string Decode(IEnumerable<int> tokens, bool skipSpecialTokens = true)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        var special = _file.AddedTokens.Values.Where(t => skipSpecialTokens && t.IsSpecial).Select(t => t.Id).ToHashSet();
        return Encoding.UTF8.GetString([.. tokens.Where(t => !special.Contains(t)).SelectMany(t => BytesOf(t).ToArray())]);
    }

    private string Normalized(string text) => _file.Composes ? UnicodeComposition.Compose(text) : text;

    /// <summary>Adds the tokens that are found in a text, and hands on what lies between.</summary>
    private static void Cut(string text, (Regex Pattern, Dictionary<string, int> Ids)? tokens, List<int> ids, Action<string> between)
    {
        var position = 0;
        foreach (var match in tokens?.Pattern.Matches(text) ?? Enumerable.Empty<Match>())
        {
            if (match.Index > position) between(text[position..match.Index]);
            ids.Add(tokens!.Value.Ids[match.Value]);
            position = match.Index + match.Length;
        }

        if (position < text.Length) between(text[position..]);
    }

    /// <summary>Finds tokens in a text: the longest first, so that it wins where one begins like another.</summary>
    private static (Regex Pattern, Dictionary<string, int> Ids)? Finder(IEnumerable<(string Token, int Id)> tokens)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (token, id) in tokens) ids[token] = id;
        return ids.Count == 0 ? null
            : (new(string.Join('|', ids.Keys.OrderByDescending(token => token.Length).Select(Regex.Escape)), RegexOptions.CultureInvariant), ids);
    }
}
