using System.Text;

namespace MoeWorkbook;

/// <summary>Keeps what one thread prints, in place of showing it, until it is disposed; what other threads print goes on as before.</summary>
internal sealed class PrintedText : TextWriter
{
    private const int MostCharacters = 500;
    // Console.Out is one for the process: who replaces it must be the one who puts it back.
    private static readonly Lock _onlyOne = new();
    private readonly StringBuilder _kept = new();
    private readonly TextWriter _console;
    private Thread? _thread;

    /// <summary>Stands in for the console; waits until no other does.</summary>
    public PrintedText()
    {
        _onlyOne.Enter();
        _console = Console.Out;
        Console.SetOut(this);
    }

    /// <inheritdoc/>
    public override Encoding Encoding => _console.Encoding;

    /// <summary>From now on what the calling thread prints is kept.</summary>
    public void OfThisThread() => _thread = Thread.CurrentThread;

    /// <summary>Forgets what was printed so far.</summary>
    public void Clear()
    {
        lock (_kept) _kept.Clear();
    }

    /// <inheritdoc/>
    public override void Write(char value)
    {
        if (Thread.CurrentThread != _thread) _console.Write(value);
        else Keep([value]);
    }

    /// <inheritdoc/>
    public override void Write(string? value)
    {
        if (Thread.CurrentThread != _thread) _console.Write(value);
        else Keep(value);
    }

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    /// <summary>What was printed, its lines set apart by slashes; of much, the beginning.</summary>
    public override string ToString()
    {
        lock (_kept)
        {
            var text = string.Join(" / ", _kept.ToString().Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
            return _kept.Length < MostCharacters ? text : text + " …";
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        Console.SetOut(_console);
        _onlyOne.Exit();
        base.Dispose(disposing);
    }

    private void Keep(ReadOnlySpan<char> text)
    {
        lock (_kept) _kept.Append(text[..Math.Min(text.Length, MostCharacters - _kept.Length)]);
    }
}
