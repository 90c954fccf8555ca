using System.CommandLine;
using VlmKernels.Cli;

var root = new RootCommand("Runs published vision-language models on this machine: offline, from their own weight files.")
{
    ClassifyCommand.Create(),
    InspectCommand.Create(),
    VerifyCommand.Create(),
    DoctorCommand.Create(),
};
return root.Parse(args).Invoke();
