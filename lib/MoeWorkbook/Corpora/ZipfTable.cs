namespace MoeWorkbook;

/// <summary>Entries whose frequencies fall like those of words (Zipf 1949; Mandelbrot 1953): the i-th is drawn with a probability proportional to 1 / (i +
/// 10).</summary>
internal sealed class ZipfTable<T>
{
    private const int Offset = 10;

    private readonly IReadOnlyList<T> _entries;
    private readonly double[] _below; // the probability of all entries before each

    public ZipfTable(IReadOnlyList<T> entries)
    {
        _entries = entries;
        _below = new double[entries.Count + 1];
        for (var i = 0; i < entries.Count; i++) _below[i + 1] = _below[i] + 1.0 / (i + Offset);
        var total = _below[^1];
        for (var i = 0; i < _below.Length; i++) _below[i] /= total;
    }

    public T this[int index] => _entries[index];

    /// <summary>The entry at a place from 0 to below 1 on the line of all probabilities, and its own probability.</summary>
    public (int Index, double Probability) Draw(double place)
    {
        var found = Array.BinarySearch(_below, place);
        var index = Math.Min(found >= 0 ? found : ~found - 1, _entries.Count - 1);
        return (index, _below[index + 1] - _below[index]);
    }
}
