using System.Diagnostics;
using System.Runtime.InteropServices;

/// <summary>What the runtime calls in a notebook's kernel before the kernel's own Main (DOTNET_STARTUP_HOOKS; name and signature are its).</summary>
/// <remarks>The kernel itself would outlive us (at the end of its input it reads on, for ever), has no line numbers, and never sees what native code
/// buffers.</remarks>
internal static partial class StartupHook
{
    internal const string HooksVariable = "DOTNET_STARTUP_HOOKS";
    internal const string ParentVariable = "WORKBOOK_KERNEL_PARENT";

    private const int Unbuffered = 2; // _IONBF, of glibc, musl and macOS

    public static void Initialize()
    {
        if (!int.TryParse(Environment.GetEnvironmentVariable(ParentVariable), out var parent))
            return;
        // Not for what a cell starts.
        Environment.SetEnvironmentVariable(HooksVariable, null);
        Environment.SetEnvironmentVariable(ParentVariable, null);
        new Thread(() => EndWith(parent)) { IsBackground = true, Name = "parent's end" }.Start();
        EmitLineNumbers();
        if (!OperatingSystem.IsWindows())
            ShowNativeTextAtOnce();
    }

    private static void EndWith(int parent)
    {
        try
        {
            using var process = Process.GetProcessById(parent);
            process.WaitForExit();
        }
        catch (ArgumentException)
        {
            // It has ended already.
        }
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }

    /// <summary>Makes debug information an option of every script, so that traces name the lines of cells; the code itself stays the same.</summary>
    private static void EmitLineNumbers()
    {
        var options = Type.GetType("Microsoft.CodeAnalysis.Scripting.ScriptOptions, Microsoft.CodeAnalysis.Scripting");
        options?.GetProperty("EmitDebugInformation")?.SetValue(options.GetProperty("Default")?.GetValue(null), true);
    }

    /// <summary>The C library would keep what native code prints to a pipe until its buffer is full.</summary>
    private static void ShowNativeTextAtOnce()
    {
        if (NativeLibrary.TryGetExport(NativeLibrary.GetMainProgramHandle(), OperatingSystem.IsMacOS() ? "__stdoutp" : "stdout", out var stdout))
            _ = SetBuffer(Marshal.ReadIntPtr(stdout), 0, Unbuffered, 0);
    }

    [LibraryImport("libc", EntryPoint = "setvbuf")]
    private static partial int SetBuffer(nint stream, nint buffer, int mode, nint size);
}
