namespace MoeWorkbook;

/// <summary>A corpus of the user's own text files: each file is a domain, and the vocabulary is the bytes that occur.</summary>
public static class TextCorpus
{
    /// <summary>Reads files. The last part of each is kept for validation; segments of the files, cut at lines' ends, follow one another in turn.</summary>
    /// <param name="files">The files, at most 255; a domain bears its file's name without the extension.</param>
    /// <param name="validationShare">The share at the end of each file that is validated on, above 0 and below 1.</param>
    /// <param name="segmentBytes">At least how many bytes of a file come before those of another.</param>
    /// <exception cref="ArgumentException">No file is given or too many, two have one name, or a number is out of range.</exception>
    /// <exception cref="IOException">A file is missing, cannot be read, or is too short to be divided.</exception>
    public static Corpus Read(IEnumerable<string> files, double validationShare = 0.1, int segmentBytes = 200)
    {
        ArgumentNullException.ThrowIfNull(files);
        if (!(validationShare is > 0 and < 1)) throw new ArgumentException($"validationShare is {validationShare}; it must be above 0 and below 1.", nameof(validationShare));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(segmentBytes);
        var paths = files.ToArray();
        if (paths.Length is 0 or > byte.MaxValue) throw new ArgumentException($"{paths.Length} files are given; from 1 to {byte.MaxValue} are allowed.", nameof(files));
        string[] names = [.. paths.Select(path => Path.GetFileNameWithoutExtension(path))];
        if (names.GroupBy(name => name).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new ArgumentException($"Two files have the name {twice.Key}; a domain needs a name of its own.", nameof(files));

        var contents = Array.ConvertAll(paths, ReadFile);
        var cuts = Array.ConvertAll(contents, content => (int)(content.Length * (1 - validationShare)));
        for (var i = 0; i < paths.Length; i++)
            if (cuts[i] < 1 || cuts[i] >= contents[i].Length)
                throw new IOException($"{paths[i]} has {contents[i].Length} bytes: too short to keep a share of {validationShare} for validation.");
        byte[] alphabet = [.. contents.SelectMany(content => content).Distinct().Order()];
        return new("text", names, alphabet,
            Interleave([.. contents.Zip(cuts, (content, cut) => content.AsMemory(0, cut))], segmentBytes, alphabet),
            Interleave([.. contents.Zip(cuts, (content, cut) => content.AsMemory(cut))], segmentBytes, alphabet));
    }

    private static byte[] ReadFile(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The text file {path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Segments of all files in turn; a longer file has its later segments alone.</summary>
    private static CorpusText Interleave(ReadOnlyMemory<byte>[] files, int segmentBytes, byte[] alphabet)
    {
        var tokens = new List<int>();
        var domains = new List<int>();
        while (Array.Exists(files, file => file.Length > 0))
        {
            for (var domain = 0; domain < files.Length; domain++)
            {
                var rest = files[domain].Span;
                var lineEnd = segmentBytes < rest.Length ? rest[(segmentBytes - 1)..].IndexOf((byte)'\n') : -1;
                var segment = lineEnd < 0 ? rest.Length : segmentBytes + lineEnd;
                foreach (var value in rest[..segment])
                {
                    tokens.Add(Array.IndexOf(alphabet, value));
                    domains.Add(domain);
                }

                files[domain] = files[domain][segment..];
            }
        }

        return new([.. tokens], [.. domains]);
    }
}
