namespace MoeWorkbook.Cli;

/// <summary>A directory that one run writes to: claimed before the work, so that no other run takes it meanwhile, and tried, so that the work is not lost at
/// its end.</summary>
internal sealed class ClaimedDirectory : IDisposable
{
    private const string LockFile = ".train.lock";

    private readonly FileStream _lock;

    private ClaimedDirectory(FileStream claimed) => _lock = claimed;

    /// <summary>Makes the directory where it is missing, locks it and tries to write so many bytes. A lock ends with its process, however that ends.</summary>
    /// <exception cref="CommandException">It is a file, cannot be made or written, has no room, or another run holds it.</exception>
    public static ClaimedDirectory Claim(string directory, long bytes)
    {
        if (File.Exists(directory))
            throw new CommandException($"--output {directory} is a file; name a directory.");
        var lockFile = Path.Combine(directory, LockFile);
        try
        {
            Directory.CreateDirectory(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"--output {directory} cannot be made: {e.Message}");
        }
        FileStream claimed;
        try
        {
            claimed = new FileStream(lockFile,
                new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.Write, Share = FileShare.None, Options = FileOptions.DeleteOnClose });
        }
        catch (IOException) when (File.Exists(lockFile))
        {
            throw new CommandException($"--output {directory} is being written by another run; wait for it, or name another directory.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"--output {directory} cannot be written: {e.Message}");
        }
        try
        {
            using var room = new FileStream(lockFile + ".room",
                new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, PreallocationSize = bytes, Options = FileOptions.DeleteOnClose });
            return new ClaimedDirectory(claimed);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            claimed.Dispose();
            throw new CommandException($"--output {directory} has no room for the {bytes / 1e6:N1} MB that the run will write: {e.Message}");
        }
    }

    /// <summary>Whether the directory holds anything but the claim.</summary>
    public static bool HasFiles(string directory) =>
        Directory.EnumerateFileSystemEntries(directory).Any(entry => !Path.GetFileName(entry).StartsWith(LockFile, StringComparison.Ordinal));

    public void Dispose() => _lock.Dispose();
}
