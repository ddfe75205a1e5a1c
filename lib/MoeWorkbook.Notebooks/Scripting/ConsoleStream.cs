using System.Text;

namespace MoeWorkbook.Notebooks.Scripting;

/// <summary>Console.Out or Console.Error of a notebook's process: every write becomes an output at once, in order with displays.</summary>
internal sealed class ConsoleStream(Action<string> write) : TextWriter
{
    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value) => write(value.ToString());

    public override void Write(string? value)
    {
        if (!string.IsNullOrEmpty(value))
            write(value);
    }

    public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

    public override void Write(ReadOnlySpan<char> buffer) => Write(buffer.ToString());

    public override void WriteLine(string? value) => write(value + "\n");

    public override void WriteLine() => write("\n");
}
