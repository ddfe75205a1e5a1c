namespace MoeWorkbook.Tests;

/// <summary>The working copy that the tests belong to.</summary>
internal static class Repository
{
    /// <summary>Its top folder.</summary>
    /// <exception cref="DirectoryNotFoundException">The tests are not inside a working copy.</exception>
    public static string Root { get; } = Find();

    private static string Find()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (directory is not null && !File.Exists(Path.Combine(directory.FullName, "MoeWorkbook.sln"))) directory = directory.Parent;
        return directory?.FullName ?? throw new DirectoryNotFoundException("the tests are not inside a working copy");
    }
}
