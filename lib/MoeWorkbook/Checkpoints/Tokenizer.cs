using System.Text;
using System.Text.RegularExpressions;

namespace MoeWorkbook;

/// <summary>Text to token ids and back, by the byte-level byte-pair encoding (Sennrich et al. 2016; Radford et al. 2019) of a Hugging Face <c>tokenizer.json</c>: that of GPT-2, Llama 3, Qwen, OLMoE, GLM-4.5, DeepSeek and gpt-oss.</summary>
/// <remarks>Special tokens are cut out first, then the text is normalised, cut into words by the file's regular expressions, and each word's bytes are merged pair by pair.
/// Where .NET runs with invariant globalization it composes no accents, so that there a text must come normalised (NFC), as nearly every text does.</remarks>
public sealed class Tokenizer
{
    private readonly TokenizerFile _file;
    private readonly Dictionary<int, byte[]> _bytes;
    private readonly Regex? _addedTokens;

    private Tokenizer(TokenizerFile file)
    {
        this._file = file;
        _bytes = file.Model.TokenBytes();
        foreach (var (content, added) in file.AddedTokens) _bytes[added.Id] = Encoding.UTF8.GetBytes(content);
        // The longest first, so that it wins where one begins like another.
        if (file.AddedTokens.Count > 0)
            _addedTokens = new(string.Join('|', file.AddedTokens.Keys.OrderByDescending(t => t.Length).Select(Regex.Escape)), RegexOptions.CultureInvariant);
    }

    /// <summary>Reads a <c>tokenizer.json</c>.</summary>
    /// <param name="path">The file, or a directory that holds it.</param>
    /// <exception cref="CheckpointException">The file cannot be read, its content is wrong, or it is of another kind than byte-level byte-pair encoding; the message says what and what is known.</exception>
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
        var position = 0;
        foreach (Match match in _addedTokens?.Matches(text) ?? Enumerable.Empty<Match>())
        {
            EncodePlain(text[position..match.Index], ids);
            ids.Add(_file.AddedTokens[match.Value].Id);
            position = match.Index + match.Length;
        }

        EncodePlain(text[position..], ids);
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

    private void EncodePlain(string text, List<int> ids)
    {
        if (text.Length == 0) return;
        // A half of a surrogate pair has no bytes; it becomes U+FFFD here as it would there.
        text = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
        if (_file.Normalization is { } form) text = text.Normalize(form);
        foreach (var word in _file.PreTokenizer.Words(text)) _file.Model.Encode(word, ids);
    }
}
