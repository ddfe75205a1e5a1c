namespace MoeWorkbook;

/// <summary>A corpus of the user's own text files: each file is a domain, and the vocabulary is the bytes that occur.</summary>
public static class TextCorpus
{
    /// <summary>Reads files. Their lines are interleaved in segments, and the last part of each file is kept for validation.</summary>
    /// <param name="files">The files; the domain bears the file's name without its extension.</param>
    /// <param name="validationShare">The share at the end of each file that is validated on, above 0 and below 1.</param>
    /// <param name="segmentBytes">About how many bytes of a file come before those of another; segments end at a line's end where there is one.</param>
    /// <exception cref="ArgumentException">No file is given, two have one name, or a number is out of range.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read, or is too short to be divided.</exception>
    public static Corpus Read(IEnumerable<string> files, double validationShare = 0.1, int segmentBytes = 200) => throw new NotImplementedException($"{files} {validationShare} {segmentBytes}");
}
