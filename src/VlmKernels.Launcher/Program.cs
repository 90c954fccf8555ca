using VlmKernels.Launcher;

string program = Path.Combine(AppContext.BaseDirectory, "vlm-" + Levels.Best(Levels.ProcessorFlags()));
return Replacement.Start(program, args);
