namespace MoeWorkbook.Tests;

/// <summary>A test that needs a Unix shell; skipped, with the reason, on Windows.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class UnixFactAttribute : FactAttribute
{
    internal const string Reason = "it needs a Unix shell";

    public UnixFactAttribute()
    {
        if (OperatingSystem.IsWindows()) Skip = Reason;
    }
}
