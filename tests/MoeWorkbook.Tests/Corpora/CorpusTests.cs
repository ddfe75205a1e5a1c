using System.Globalization;
using System.Text;

namespace MoeWorkbook.Tests.Corpora;

public sealed class CorpusTests
{
    private static readonly SyntheticCorpusOptions _small = new() { TrainingBytes = 60_000, ValidationBytes = 30_000, TableSize = 50 };
    private static readonly Corpus _corpus = SyntheticCorpus.Generate(_small);

    [Fact]
    public void Products_are_right() =>
        Assert.All(Lines("arithmetic").SelectMany(line => line.TrimEnd(';').Split(';')), fact =>
        {
            int[] numbers = [.. fact.Split('*', '=').Select(int.Parse)];
            Assert.Equal(numbers[0] * numbers[1], numbers[2]);
        });

    [Fact]
    public void Brackets_balance() => Assert.All(Lines("code"), line =>
    {
        var open = new Stack<char>();
        foreach (var c in line["=> ".Length..])
        {
            if ("([{<".Contains(c)) open.Push(c);
            else if (")]}>".IndexOf(c) is >= 0 and var kind) Assert.Equal("([{<"[kind], open.Pop());
        }

        Assert.Empty(open);
    });

    [Fact]
    public void Weekdays_are_those_of_the_dates() => Assert.All(Lines("dates"), line =>
    {
        var parts = line.Split(' ');
        Assert.Equal(DateOnly.ParseExact(parts[1], "yyyy-MM-dd", CultureInfo.InvariantCulture).DayOfWeek.ToString()[..3], parts[2]);
    });

    [Fact]
    public void Verbs_agree_with_their_subjects() => Assert.All(Lines("sentences"), line => Assert.Matches("^the [a-z]+[aeiou] ([a-z]+[aeiou] [a-z]+s|[a-z]+s [a-z]+[aeiou]) the [a-z]+\\.$", line));

    [Fact]
    public void Motifs_come_from_a_bank() =>
        Assert.True(Lines("dna").SelectMany(line => line.Split('-')).Distinct().Count() <= _small.TableSize);

    [Fact]
    public void The_notes_of_a_bar_last_eight_units() =>
        Assert.All(Lines("music").SelectMany(line => line.TrimEnd('|').Split('|')), bar => Assert.Equal(8, bar.Where(char.IsAsciiDigit).Sum(digit => digit - '0')));

    [Fact]
    public void Both_texts_come_from_the_same_tables()
    {
        static HashSet<string> Events(CorpusText text) => [.. Lines(text, "dates")];
        Assert.Subset(Events(_corpus.Training), Events(_corpus.Validation));
        Assert.NotEqual(_corpus.Decode(_corpus.Training.Tokens[..2000]), _corpus.Decode(_corpus.Validation.Tokens[..2000]));
    }

    [Fact]
    public void A_domain_never_follows_itself_and_changes_at_line_ends()
    {
        var text = _corpus.Decode(_corpus.Training.Tokens);
        for (var i = 1; i < text.Length; i++)
            if (_corpus.Training.Domains[i] != _corpus.Training.Domains[i - 1]) Assert.Equal('\n', text[i - 1]);
    }

    [Fact]
    public void The_same_seed_writes_the_same_corpus_and_another_seed_another()
    {
        Assert.True(SyntheticCorpus.Generate(_small).Training.Tokens.SequenceEqual(_corpus.Training.Tokens));
        Assert.False(SyntheticCorpus.Generate(_small with { Seed = 2 }).Training.Tokens[..1000].SequenceEqual(_corpus.Training.Tokens[..1000]));
    }

    [Fact]
    public void The_entropy_floor_of_a_coin_is_ln_2_a_toss()
    {
        // Each line is one fair choice of two and takes two bytes; a segment has 1 to 3 lines, equally likely; with two domains each segment's domain follows.
        CorpusDomain[] domains = [new Coin("ab"), new Coin("cd")];
        var text = SyntheticCorpus.Write(domains, 20_000, seed: 5);
        var lines = text.Bytes.Count(b => b == '\n');
        var segments = 1 + text.Labels.Zip(text.Labels.Skip(1), (a, b) => a != b ? 1 : 0).Sum();
        Assert.Equal(lines * Math.Log(2) + segments * Math.Log(3) + Math.Log(2), text.Nats.Sum(), 6);
    }

    [Fact]
    public void A_rare_entry_counts_with_its_own_probability()
    {
        // Of two entries the first has 1/10 and the second 1/11 before they are divided by their sum: 11/21 and 10/21.
        var table = new ZipfTable<char>(['x', 'y']);
        Assert.Equal((0, 11 / 21.0), table.Draw(0.5));
        Assert.Equal(1, table.Draw(0.53).Index);
        Assert.Equal(10 / 21.0, table.Draw(0.99999).Probability, 12);
    }

    [Fact]
    public void Domain_floors_average_to_the_whole()
    {
        var labels = _corpus.Validation.Domains.ToArray();
        var mean = _corpus.DomainEntropyFloors!.Select((floor, domain) => floor * labels.Count(label => label == domain)).Sum() / labels.Length;
        Assert.Equal(_corpus.EntropyFloor!.Value, mean, 9);
    }

    [Fact]
    public void A_window_is_followed_by_its_targets()
    {
        using var batch = _corpus.Training.Draw(4, 16, seed: 3);
        using var again = _corpus.Training.Draw(4, 16, seed: 3);
        Assert.Equal([4L, 16], batch.Tokens.shape);
        Assert.Equal(batch.Tokens.narrow(1, 1, 15).contiguous().data<long>().ToArray(), batch.Targets.narrow(1, 0, 15).contiguous().data<long>().ToArray());
        Assert.Equal(batch.Domains.narrow(1, 1, 15).contiguous().data<long>().ToArray(),
            batch.TargetDomains.narrow(1, 0, 15).contiguous().data<long>().ToArray());
        Assert.Equal(batch.Tokens.data<long>().ToArray(), again.Tokens.data<long>().ToArray());
    }

    [Fact]
    public void A_window_longer_than_the_text_is_refused() =>
        Assert.Contains("sequenceLength is 70000", Assert.Throws<ArgumentException>(() => _corpus.Training.Draw(1, 70_000, 0)).Message);

    [Fact]
    public void Text_is_encoded_and_decoded()
    {
        Assert.Equal("the ACGT\n", _corpus.Decode(_corpus.Encode("the ACGT\n")));
        Assert.Contains("the byte 126", Assert.Throws<ArgumentException>(() => _corpus.Encode("~")).Message);
    }

    [Fact]
    public void The_tokenizer_file_gives_the_corpus_tokens() =>
        Assert.Equal(_corpus.Encode("the 4*5=20\n"), Tokenizer.Parse(_corpus.TokenizerJson()).Encode("the 4*5=20\n"));

    [Fact]
    public void An_end_of_text_follows_each_stretch_of_a_domain_and_nothing_else_changes()
    {
        var ended = _corpus.WithEndOfText();
        Assert.Equal((256, 257), (ended.EndOfText, ended.VocabularySize));
        Assert.Equal(_corpus.Decode(_corpus.Validation.Tokens),
            ended.Decode(ended.Validation.Tokens).Replace(Corpus.EndOfTextToken, "", StringComparison.Ordinal));
        int[] tokens = ended.Validation.Tokens.ToArray(), domains = ended.Validation.Domains.ToArray();
        Assert.Equal(256, tokens[^1]);
        for (var i = 1; i < tokens.Length; i++) Assert.Equal(tokens[i - 1] == 256, domains[i] != domains[i - 1]);
        Assert.Equal(_corpus.EntropyFloor!.Value * _corpus.Validation.Length, ended.EntropyFloor!.Value * ended.Validation.Length, 6);
        Assert.Equal(ended.EntropyFloor.Value,
            ended.DomainEntropyFloors!.Select((floor, domain) => floor * domains.Count(label => label == domain)).Sum() / domains.Length, 9);
        Assert.Same(ended, ended.WithEndOfText());
    }

    [Fact]
    public void With_an_end_of_text_every_text_has_tokens_and_the_tokenizer_file_knows_the_end()
    {
        var ended = _corpus.WithEndOfText();
        var tokenizer = Tokenizer.Parse(ended.TokenizerJson());
        Assert.Equal((257, 256), (tokenizer.VocabularySize, tokenizer.IdOf(Corpus.EndOfTextToken)));
        Assert.Equal(Enumerable.Range(0, 256), Enumerable.Range(0, 256).Select(value => Assert.Single(tokenizer.BytesOf(value).ToArray()) + 0));
        Assert.Equal([.. ended.Encode("naïve ~ 語\n"), 256], tokenizer.Encode("naïve ~ 語\n<|endoftext|>"));
        Assert.Contains("\"eos_token\": \"<|endoftext|>\"", ended.TokenizerConfigJson());
        Assert.DoesNotContain("eos_token", _corpus.TokenizerConfigJson());
    }

    [Fact]
    public void A_files_end_is_kept_for_validation_and_each_file_is_a_domain()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.Path("one.txt"), "aaaa\naaaa\naaaa\nAAAA\n");
        File.WriteAllText(directory.Path("two.txt"), "bbbb\nbbbb\nbbbb\nBBBB\n");
        var corpus = TextCorpus.Read([directory.Path("one.txt"), directory.Path("two.txt")], validationShare: 0.25, segmentBytes: 3);
        Assert.Equal(["one", "two"], corpus.Domains);
        Assert.Equal("aaaa\nbbbb\naaaa\nbbbb\naaaa\nbbbb\n", corpus.Decode(corpus.Training.Tokens));
        Assert.Equal("AAAA\nBBBB\n", corpus.Decode(corpus.Validation.Tokens));
        Assert.Equal([0, 0, 0, 0, 0, 1, 1, 1, 1, 1], corpus.Validation.Domains.ToArray());
        Assert.Null(corpus.EntropyFloor);
    }

    [Fact]
    public void A_missing_empty_or_doubled_file_is_named()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.Path("empty.txt"), "");
        Assert.Contains("missing.txt cannot be read", Assert.Throws<IOException>(() => TextCorpus.Read([directory.Path("missing.txt")])).Message);
        Assert.Contains("empty.txt has 0 bytes", Assert.Throws<IOException>(() => TextCorpus.Read([directory.Path("empty.txt")])).Message);
        Assert.Contains("have the name empty", Assert.Throws<ArgumentException>(() => TextCorpus.Read([directory.Path("empty.txt"), directory.Path("empty.md")])).Message);
        Assert.Contains("0 files", Assert.Throws<ArgumentException>(() => TextCorpus.Read([])).Message);
    }

    private static string[] Lines(string domain) => Lines(_corpus.Training, domain);

    /// <summary>The lines of a domain, without their ends.</summary>
    private static string[] Lines(CorpusText text, string domain)
    {
        var label = _corpus.Domains.ToList().IndexOf(domain);
        var tokens = new List<int>();
        for (var i = 0; i < text.Length; i++)
            if (text.Domains[i] == label) tokens.Add(text.Tokens[i]);
        var lines = _corpus.Decode([.. tokens]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(lines.Length > 20);
        return lines;
    }

    private sealed class Coin(string sides) : CorpusDomain
    {
        public override string Name => sides;

        public override void WriteLine(StringBuilder text, ChoiceSource choices) => text.Append(choices.Of(sides.ToCharArray())).Append('\n');
    }
}
