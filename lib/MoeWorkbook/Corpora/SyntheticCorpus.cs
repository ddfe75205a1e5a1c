using System.Text;

namespace MoeWorkbook;

/// <summary>A made-up language of six domains whose structure differs: arithmetic, bracketed code, dates, sentences, DNA and music. Its segments of a few lines
/// each follow one another in one stream.</summary>
/// <remarks>
/// Each domain draws from a large random table (facts, functions, events, words, motifs, phrases) that is the same in both texts: there is more to memorise
/// than a small feed-forward block can hold, so that capacity matters.
/// The text tells every choice that the source made, so the sum of −ln p over the choices is −ln p of the text: the entropy floor.
/// </remarks>
public static class SyntheticCorpus
{
    private const int MostLinesInSegment = 3;

    /// <summary>Writes the two texts, from the same tables and different draws.</summary>
    /// <param name="options">How much text and how large tables; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is not positive.</exception>
    public static Corpus Generate(SyntheticCorpusOptions? options = null)
    {
        options ??= new();
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.TrainingBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.ValidationBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.TableSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.TableSize, SyntheticCorpusOptions.LargestTable);
        var domains = Domains(options.TableSize, new(RandomSource.Seed(options.Seed, 0)));
        var training = Write(domains, options.TrainingBytes, RandomSource.Seed(options.Seed, 1));
        var validation = Write(domains, options.ValidationBytes, RandomSource.Seed(options.Seed, 2));
        byte[] alphabet = [.. training.Bytes.Concat(validation.Bytes).Distinct().Order()];
        return new("synthetic", [.. domains.Select(domain => domain.Name)], alphabet, training.Encode(alphabet), validation.Encode(alphabet))
        {
            EntropyFloor = validation.Nats.Sum() / validation.Bytes.Length,
            DomainEntropyFloors = [.. validation.Nats.Select((nats, domain) => nats / validation.Labels.Count(label => label == domain))],
        };
    }

    internal static CorpusDomain[] Domains(int tableSize, RandomSource random) =>
    [
        new ArithmeticDomain(tableSize, random), new CodeDomain(tableSize, random), new DateDomain(tableSize, random),
        new SentenceDomain(tableSize, random), new DnaDomain(tableSize, random), new MusicDomain(tableSize, random),
    ];

    /// <summary>Segments of one to three lines, never two of one domain in a row, until there are as many bytes.</summary>
    internal static SourceText Write(CorpusDomain[] domains, int length, ulong seed)
    {
        var choices = new ChoiceSource(seed);
        var text = new StringBuilder();
        var labels = new List<int>(length);
        var nats = new double[domains.Length];
        var previous = -1;
        while (text.Length < length)
        {
            var before = choices.Nats;
            var domain = previous < 0 ? choices.Of(domains.Length) : (previous + 1 + choices.Of(domains.Length - 1)) % domains.Length;
            var lines = 1 + choices.Of(MostLinesInSegment);
            for (var line = 0; line < lines; line++) domains[domain].WriteLine(text, choices);
            while (labels.Count < text.Length) labels.Add(domain);
            nats[domain] += choices.Nats - before;
            previous = domain;
        }

        return new(Encoding.ASCII.GetBytes(text.ToString()), [.. labels], nats);
    }

    /// <summary>A text as bytes, with each byte's domain and each domain's −ln p in nats.</summary>
    internal sealed record SourceText(byte[] Bytes, int[] Labels, double[] Nats)
    {
        public CorpusText Encode(byte[] alphabet) => new(Array.ConvertAll(Bytes, b => Array.IndexOf(alphabet, b)), Labels);
    }
}
