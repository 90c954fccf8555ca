using VlmKernels.Cli;
using VlmKernels.Convert;

Console.CancelKeyPress += (_, _) => Terminal.RestoreCursor();
var root = ConvertCommand.Create();
root.Subcommands.Add(InspectCommand.Create());
root.Subcommands.Add(VerifyCommand.Create());
var parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
return parsed.Errors.Count == 0 ? parsed.Invoke() : Terminal.Reject(parsed);
