using System.Text;

namespace MoeWorkbook;

/// <summary>Writes a file so that nobody ever sees half of it: beside it first, then renamed.</summary>
internal static class WholeFile
{
    /// <summary>Writes a text in UTF-8. Its folder is made where it does not exist.</summary>
    public static void Write(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));

    /// <summary>Writes bytes. Their folder is made where it does not exist.</summary>
    public static void Write(string path, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        Write(path, file => file.Write(bytes));
    }

    /// <summary>Writes what an action writes.</summary>
    /// <exception cref="IOException">The file cannot be written; what was there before is there still.</exception>
    public static void Write(string path, Action<FileStream> write)
    {
        // A name of its own, so that two programs that write the same file do not meet.
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write)) write(file);
            File.Move(temporary, path, overwrite: true);
        }
        finally
        {
            if (File.Exists(temporary)) File.Delete(temporary);
        }
    }
}
