using MoeWorkbook.Notebooks.Scripting;

if (args is ["execute", var pipe])
{
    await ScriptKernel.RunAsync(pipe);
    return 0;
}
Console.Error.WriteLine("This is the process that executes one notebook for the workbook. To run notebooks: ./workbook run [notebook…]");
return 2;
