using System.Text;
using System.Text.Json.Nodes;

namespace MoeWorkbook;

/// <summary>A text to train on and a text to validate on, over one alphabet of bytes, with the domain of every token known.</summary>
public sealed class Corpus
{
    private readonly byte[] _alphabet;
    private readonly byte[] _tokenOf = new byte[256];

    /// <summary>A corpus.</summary>
    /// <param name="name">What tables and progress lines call it.</param>
    /// <param name="domains">The names of its domains.</param>
    /// <param name="alphabet">The byte that each token stands for, in increasing order.</param>
    /// <param name="training">What is trained on.</param>
    /// <param name="validation">What is validated on.</param>
    /// <exception cref="ArgumentException">A token is outside of the alphabet, a label outside of the domains, or the alphabet is not in increasing order.</exception>
    public Corpus(string name, IReadOnlyList<string> domains, byte[] alphabet, CorpusText training, CorpusText validation)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(domains);
        ArgumentNullException.ThrowIfNull(alphabet);
        ArgumentNullException.ThrowIfNull(training);
        ArgumentNullException.ThrowIfNull(validation);
        for (var i = 1; i < alphabet.Length; i++)
            if (alphabet[i] <= alphabet[i - 1]) throw new ArgumentException($"alphabet has {alphabet[i]} after {alphabet[i - 1]}; it must increase.", nameof(alphabet));
        foreach (var text in new[] { training, validation })
        {
            if (text.Tokens.ContainsAnyExceptInRange((byte)0, (byte)(alphabet.Length - 1))) throw new ArgumentException($"A token is outside of the alphabet of {alphabet.Length} bytes.", nameof(alphabet));
            if (text.Domains.ContainsAnyExceptInRange((byte)0, (byte)(domains.Count - 1))) throw new ArgumentException($"A label is none of the {domains.Count} domains.", nameof(domains));
        }

        (Name, Domains, _alphabet, Training, Validation) = (name, domains, alphabet, training, validation);
        for (var token = 0; token < alphabet.Length; token++) _tokenOf[alphabet[token]] = (byte)token;
    }

    /// <summary>What tables and progress lines call it.</summary>
    public string Name { get; }

    /// <summary>The names of the domains.</summary>
    public IReadOnlyList<string> Domains { get; }

    /// <summary>The byte that each token stands for.</summary>
    public ReadOnlySpan<byte> Alphabet => _alphabet;

    /// <summary>Number of tokens in the vocabulary: the bytes that occur.</summary>
    public int VocabularySize => _alphabet.Length;

    /// <summary>What is trained on.</summary>
    public CorpusText Training { get; }

    /// <summary>What is validated on: other text than <see cref="Training"/>, from the same source.</summary>
    public CorpusText Validation { get; }

    /// <summary>The loss in nats per byte below which no model gets on the validation text, however large it is; null where the source is not known.</summary>
    /// <remarks>It is the source's own −ln p of the validation text over its bytes. A model that sees short windows lies above it, for it does not know what stood before the window.</remarks>
    public double? EntropyFloor { get; init; }

    /// <summary>The same for each domain; null where the source is not known.</summary>
    public IReadOnlyList<double>? DomainEntropyFloors { get; init; }

    /// <summary>The text of tokens; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <param name="tokens">Token ids.</param>
    /// <exception cref="ArgumentOutOfRangeException">An id is outside of the vocabulary.</exception>
    public string Decode(ReadOnlySpan<byte> tokens)
    {
        var bytes = new byte[tokens.Length];
        for (var i = 0; i < bytes.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(tokens[i], VocabularySize, nameof(tokens));
            bytes[i] = _alphabet[tokens[i]];
        }

        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>The tokens of a text.</summary>
    /// <param name="text">A text.</param>
    /// <exception cref="ArgumentException">A byte of it is not in the alphabet.</exception>
    public byte[] Encode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Array.ConvertAll(Encoding.UTF8.GetBytes(text), b => _alphabet.AsSpan().Contains(b) ? _tokenOf[b]
            : throw new ArgumentException($"text has the byte {b}, which does not occur in the corpus {Name}.", nameof(text)));
    }

    /// <summary>The <c>tokenizer.json</c> of a model that was trained on this corpus: every byte of the alphabet is a token.</summary>
    public string TokenizerJson() => new JsonObject
    {
        ["version"] = "1.0",
        ["pre_tokenizer"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false },
        ["decoder"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false },
        ["model"] = new JsonObject
        {
            ["type"] = "BPE",
            ["vocab"] = new JsonObject(_alphabet.Select((value, token) => KeyValuePair.Create(BytePairEncoding.Letter(value).ToString(), (JsonNode?)token))),
            ["merges"] = new JsonArray(),
        },
    }.ToJsonString(HuggingFaceConfigWriter.Indented) + "\n";
}
