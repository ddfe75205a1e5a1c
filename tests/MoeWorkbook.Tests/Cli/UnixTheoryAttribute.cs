namespace MoeWorkbook.Tests;

/// <summary>Tests that need a Unix shell; skipped, with the reason, on Windows.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class UnixTheoryAttribute : TheoryAttribute
{
    public UnixTheoryAttribute()
    {
        if (OperatingSystem.IsWindows()) Skip = UnixFactAttribute.Reason;
    }
}
