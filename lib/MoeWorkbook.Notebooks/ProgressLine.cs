namespace MoeWorkbook.Notebooks;

/// <summary>Tells where a run is: one line rewritten in place on a terminal; elsewhere a line only for a cell that takes long.</summary>
internal sealed class ProgressLine(TextWriter log) : IProgress<NotebookProgress>, IDisposable
{
    private const double SlowCellSeconds = 10;

    private readonly bool _inPlace = ReferenceEquals(log, Console.Error) && !Console.IsErrorRedirected;
    private int _slowCell;

    public void Report(NotebookProgress value)
    {
        if (_inPlace)
        {
            log.Write($"\r\u001b[K{value.Path}: cell {value.Cell}/{value.Cells}, {value.NotebookSeconds:0} s");
        }
        else if (value.CellSeconds >= SlowCellSeconds && _slowCell != value.Cell)
        {
            _slowCell = value.Cell;
            log.WriteLine($"{value.Path}: cell {value.Cell}/{value.Cells} is taking longer than {SlowCellSeconds:0} s");
        }
    }

    /// <summary>Replaces the line by its last word.</summary>
    public void End(string text)
    {
        Dispose();
        log.WriteLine(text);
    }

    public void Dispose()
    {
        if (_inPlace)
            log.Write("\r\u001b[K");
    }
}
