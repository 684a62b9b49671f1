using Cllm.Cli;
using Cllm.Cli.Display;

return CommandLine.Run(args, Terminal.OfThisProcess());
