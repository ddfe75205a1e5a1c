using System.CommandLine;
using MoeWorkbook.Cli;

var root = new RootCommand("The MoE Workbook: why a Mixture-of-Experts model with far more parameters can still run faster.")
{
    CountCommand.Create(),
    RunCommand.Create(),
    ScriptCommand.Create(),
    JupyterCommand.Create(),
    LogitsCommand.Create(),
    GenerateCommand.Create(),
    TrainCommand.Create(),
    BenchCommand.Create(),
};

return await CommandLine.RunAsync(root, args);
