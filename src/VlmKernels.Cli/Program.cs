using System.CommandLine;
using VlmKernels.Cli;

Console.CancelKeyPress += (_, _) => Terminal.RestoreCursor();
var root = new RootCommand("Runs published vision-language models on this machine: offline, from their own weight files.")
{
    CaptionCommand.Create(),
    AskCommand.Create(),
    MatchCommand.Create(),
    CompareCommand.Create(),
    ClassifyCommand.Create(),
    EmbedCommand.Create(),
    SearchCommand.Create(),
    FilterCommand.Create(),
    EvaluateCommand.Create(),
    InspectCommand.Create(),
    VerifyCommand.Create(),
    DoctorCommand.Create(),
};
var parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
return parsed.Errors.Count == 0 ? parsed.Invoke() : Terminal.Reject(parsed);
