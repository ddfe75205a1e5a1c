Console.Error.WriteLine("usage: workbook COMMAND");
return 2;
