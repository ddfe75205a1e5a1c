using System.CommandLine;
using MoeWorkbook.Notebooks;

namespace MoeWorkbook.Cli;

/// <summary><c>jupyter</c>: lets Jupyter run the notebooks.</summary>
internal static class JupyterCommand
{
    public static Command Create()
    {
        var folder = new Option<string?>("--path")
        {
            Description = $"The folder of Jupyter's data to install into, such as SYS.PREFIX/share/jupyter or one that JUPYTER_PATH names. By default the current user's: {JupyterKernelSpec.UserDataFolder}.",
        };
        var command = new Command("jupyter", "Install the kernel .NET (C#) for JupyterLab and the classic Notebook: the tool that this workbook pins, listening on this machine only, without telemetry.") { folder };
        command.SetAction(parsed =>
        {
            try
            {
                Console.WriteLine(JupyterKernelSpec.Install(parsed.GetValue(folder) ?? JupyterKernelSpec.UserDataFolder));
                return 0;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CommandException(e.Message);
            }
        });
        return command;
    }
}
