using BenchmarkDotNet.Running;
using Cllm.Benchmarks.Channel;

switch (args.FirstOrDefault())
{
    case "channel":
        return ChannelThroughput.Run(args);
    case "channel-serve":
        return ChannelThroughput.Serve(args);
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        return 0;
}
