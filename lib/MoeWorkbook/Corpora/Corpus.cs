using System.Text;
using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>A text to train on and a text to validate on, over one alphabet of bytes, with the domain of every token known.</summary>
public sealed class Corpus
{
    /// <summary>The text of the token that ends a document, as GPT-2 and OLMoE write it.</summary>
    public const string EndOfTextToken = "<|endoftext|>";

    private readonly byte[] _alphabet;
    private readonly int[] _tokenOf = new int[256];

    /// <summary>A corpus.</summary>
    /// <param name="name">What tables and progress lines call it.</param>
    /// <param name="domains">The names of its domains.</param>
    /// <param name="alphabet">The byte that each token stands for, in increasing order.</param>
    /// <param name="training">What is trained on.</param>
    /// <param name="validation">What is validated on.</param>
    /// <param name="hasEndOfText">Whether one token more, after those of the alphabet, ends a document.</param>
    /// <exception cref="ArgumentException">A token is outside of the vocabulary, a label outside of the domains, or the alphabet is not in increasing
    /// order.</exception>
    public Corpus(string name, IReadOnlyList<string> domains, byte[] alphabet, CorpusText training, CorpusText validation, bool hasEndOfText = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(domains);
        ArgumentNullException.ThrowIfNull(alphabet);
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(validation);
        for (var i = 1; i < alphabet.Length; i++)
            if (alphabet[i] <= alphabet[i - 1]) throw new ArgumentException($"alphabet has {alphabet[i]} after {alphabet[i - 1]}; it must increase.", nameof(alphabet));
        (Name, Domains, _alphabet, Training, Validation) = (name, domains, alphabet, training, validation);
        EndOfText = hasEndOfText ? alphabet.Length : null;
        foreach (var text in new[] { training, validation })
        {
            if (text.Tokens.ContainsAnyExceptInRange(0, VocabularySize - 1)) throw new ArgumentException($"A token is outside of the vocabulary of {VocabularySize}.", nameof(alphabet));
            if (text.Domains.ContainsAnyExceptInRange(0, domains.Count - 1)) throw new ArgumentException($"A label is none of the {domains.Count} domains.", nameof(domains));
        }

        Array.Fill(_tokenOf, -1);
        for (var token = 0; token < alphabet.Length; token++) _tokenOf[alphabet[token]] = token;
    }

    /// <summary>What tables and progress lines call it.</summary>
    public string Name { get; }

    /// <summary>The names of the domains.</summary>
    public IReadOnlyList<string> Domains { get; }

    /// <summary>The byte that each token stands for.</summary>
    public ReadOnlySpan<byte> Alphabet => _alphabet;

    /// <summary>The id of <see cref="EndOfTextToken"/>; null where documents follow one another without a mark.</summary>
    public int? EndOfText { get; }

    /// <summary>Number of tokens in the vocabulary: the bytes of the alphabet, and the end of a text where it is marked.</summary>
    public int VocabularySize => _alphabet.Length + (EndOfText is null ? 0 : 1);

    /// <summary>What is trained on.</summary>
    public CorpusText Training { get; }

    /// <summary>What is validated on: other text than <see cref="Training"/>, from the same source.</summary>
    public CorpusText Validation { get; }

    /// <summary>The loss in nats per token below which no model gets on the validation text, however large it is; null where the source is not known.</summary>
    /// <remarks>It is the source's own −ln p of the validation text over its tokens. A model that sees short windows lies above it, for it does not know what
    /// stood before the window.</remarks>
    public double? EntropyFloor { get; init; }

    /// <summary>The same for each domain; null where the source is not known.</summary>
    public IReadOnlyList<double>? DomainEntropyFloors { get; init; }

    /// <summary>The same texts in a vocabulary that leaves no text out: token and byte are one number, and token 256 ends each document, which is a stretch of
    /// one domain.</summary>
    /// <remarks>A model that is trained so can be given any text, and ends its own. The source chooses the same, so that the floors are the same nats over more
    /// tokens.</remarks>
    public Corpus WithEndOfText()
    {
        if (EndOfText is not null) return this;
        var (training, validation) = (Ended(Training), Ended(Validation));
        return new(Name, Domains, [.. Enumerable.Range(0, 256).Select(value => (byte)value)], training, validation, hasEndOfText: true)
        {
            EntropyFloor = EntropyFloor * Validation.Length / validation.Length,
            DomainEntropyFloors = DomainEntropyFloors is null ? null
                : [.. DomainEntropyFloors.Select((floor, domain) => floor * Validation.Domains.Count(domain) / validation.Domains.Count(domain))],
        };

        CorpusText Ended(CorpusText text)
        {
            var (tokens, domains) = (new List<int>(text.Length), new List<int>(text.Length));
            for (var i = 0; i < text.Length; i++)
            {
                tokens.Add(_alphabet[text.Tokens[i]]);
                domains.Add(text.Domains[i]);
                if (i + 1 < text.Length && text.Domains[i + 1] == text.Domains[i]) continue;
                tokens.Add(256);
                domains.Add(text.Domains[i]);
            }

            return new([.. tokens], [.. domains]);
        }
    }

    /// <summary>The text of tokens; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <param name="tokens">Token ids.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside of the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> tokens)
    {
        var bytes = new List<byte>(tokens.Length);
        foreach (var token in tokens)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(token, nameof(tokens));
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(token, VocabularySize, nameof(tokens));
            if (token == EndOfText) bytes.AddRange(Encoding.UTF8.GetBytes(EndOfTextToken));
            else bytes.Add(_alphabet[token]);
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }

    /// <summary>The tokens of a text.</summary>
    /// <param name="text">A text.</param>
    /// <exception cref="ArgumentException">A byte of it is not in the alphabet.</exception>
    public int[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Array.ConvertAll(Encoding.UTF8.GetBytes(text), b => _tokenOf[b] is >= 0 and var token ? token
            : throw new ArgumentException($"text has the byte {b}, which does not occur in the corpus {Name}.", nameof(text)));
    }

    /// <summary>The <c>tokenizer.json</c> of a model that was trained on this corpus: every byte of the alphabet is a token.</summary>
    public string TokenizerJson() => Text(new JsonObject
    {
        ["version"] = "1.0",
        ["added_tokens"] = EndOfText is not { } end ? new JsonArray() : new JsonArray(new JsonObject
        {
            ["id"] = end,
            ["content"] = EndOfTextToken,
            ["single_word"] = false,
            ["lstrip"] = false,
            ["rstrip"] = false,
            ["normalized"] = false,
            ["special"] = true,
        }),
        // Engines insist on the keys though they may be null.
        ["normalizer"] = null,
        ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false },
        ["post_processor"] = null,
        ["decoder"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false },
        ["model"] = new JsonObject
        {
            ["type"] = "BPE",
            ["vocab"] = new JsonObject(_alphabet.Select((value, token) => KeyValuePair.Create(BytePairEncoding.Letter(value).ToString(), (JsonNode?)token))),
            ["merges"] = new JsonArray(),
        },
    });

    /// <summary>The <c>tokenizer_config.json</c> beside it, which says who reads <c>tokenizer.json</c>, that no space is cleaned away, and which token ends a
    /// text.</summary>
    public string TokenizerConfigJson()
    {
        var json = new JsonObject { ["tokenizer_class"] = "PreTrainedTokenizerFast", ["clean_up_tokenization_spaces"] = false };
        foreach (var role in EndOfText is null ? [] : new[] { "bos_token", "eos_token" }) json[role] = EndOfTextToken;
        return Text(json);
    }

    private static string Text(JsonObject json) => json.ToJsonString(JsonText.Indented) + "\n";
}
