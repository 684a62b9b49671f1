using BenchmarkDotNet.Running;
using Cllm.Benchmarks;
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
        BenchmarkSwitcher.FromAssembly(typeof(StepBenchmarks).Assembly).Run(args);
        return 0;
}
