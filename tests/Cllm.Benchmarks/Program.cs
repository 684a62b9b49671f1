using BenchmarkDotNet.Running;
using Cllm.Benchmarks.Channel;
using Cllm.Benchmarks.Exchange;

switch (args.FirstOrDefault())
{
    case "channel":
        return ChannelThroughput.Run(args);
    case "channel-serve":
        return ChannelThroughput.Serve(args);
    case "exchange":
        return ExchangeBenchmark.Run(args);
    case "exchange-node":
        return ExchangeBenchmark.Serve(args);
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        return 0;
}
