using MoeWorkbook.Tests.Notebooks;
using static TorchSharp.torch;

namespace MoeWorkbook.Tests;

/// <summary>What a test needs of the machine and asks for before anything else: where it is missing, the test is skipped with the reason.</summary>
internal static class Needs
{
    /// <summary>The first GPU.</summary>
    public static Device Cuda()
    {
        Assert.SkipUnless(cuda.is_available(), "no CUDA device here: libtorch finds none");
        return CUDA;
    }

    /// <summary>A shell, signals, and a C library of that name.</summary>
    public static void Unix() => Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows is no Unix");

    public static void Browser() => Assert.SkipWhen(HeadlessBrowser.Find(HeadlessBrowser.Programs) is null, $"no browser here: none of {string.Join(", ", HeadlessBrowser.Programs)}");

    public static void Jupyter() => Assert.SkipWhen(JupyterServer.Program is null, "no Jupyter server here: 'jupyter server' is not installed");

    public static void ClassicNotebook()
    {
        Browser();
        Assert.SkipWhen(Browsers.ClassicNotebook.Program is null, "no classic Notebook here: 'jupyter notebook' of version 6 is not installed");
    }
}
