using System.CommandLine;
using MoeWorkbook;
using MoeWorkbook.Cli;

var root = new RootCommand("The MoE Workbook: why a Mixture-of-Experts model with far more parameters can still run faster.")
{
    CountCommand.Create(),
    RunCommand.Create(),
    JupyterCommand.Create(),
    LogitsCommand.Create(),
    GenerateCommand.Create(),
    TrainCommand.Create(),
    BenchCommand.Create(),
};

try
{
    return await root.Parse(args).InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TimeSpan.FromMinutes(1) });
}
catch (Exception e) when (e is ModelConfigException or CheckpointException or CommandException or NotSupportedException)
{
    await Console.Error.WriteLineAsync($"workbook: {e.Message}");
    return 1;
}
