using System.CommandLine;
using Cllm.Cli.Display;
using Cllm.Cli.Parsing;
using Cllm.Model.Generation;
using Cllm.Model.Text;

namespace Cllm.Cli.Commands;

/// <summary>`cllm generate`: text from a trained model, written as it is drawn.</summary>
public static class GenerateCommand
{
    /// <summary>The command for the parser.</summary>
    public static Command Create(Terminal terminal)
    {
        Option<string?> model = Values.Text("--model", "DIR", "A run, a checkpoint, or a Hugging Face GPT-2 folder.", required: true);
        Option<string?> prompt = Values.Text("--prompt", "TEXT", "The beginning to go on from. [default: none]", mayBeEmpty: true);
        Option<long?> tokens = Values.Whole("--tokens", "Tokens to write. [default: 200]", 1, int.MaxValue);
        Option<double?> temperature = Values.Real(
            "--temperature", "Divides the logits; 0 takes the likeliest token each time. [default: 0.8]", "of at least 0", v => v >= 0);
        Option<long?> topK = Values.Whole("--top-k", "Draw among this many likeliest tokens; 0 is all. [default: 0]", 0, int.MaxValue);
        Option<long?> seed = Values.Whole("--seed", "Seed of the draws: the same seed writes the same text. [default: 1]", 0);
        var command = new Command("generate", "Let a trained model write.") { model, prompt, tokens, temperature, topK, seed };
        command.SetAction(parsed =>
        {
            using TrainedModel trained = TrainedModel.Load(parsed.GetRequiredValue(model)!);
            var sampler = new Sampler(
                trained.Layout.Shape.Vocabulary,
                parsed.GetValue(temperature) ?? Sample.Temperature,
                (int)(parsed.GetValue(topK) ?? 0),
                (ulong)(parsed.GetValue(seed) ?? Sample.Seed));
            Sample.Write(
                trained.Layout, trained.Weights, trained.Tokenizer(), parsed.GetValue(prompt) ?? "",
                (int)(parsed.GetValue(tokens) ?? Sample.Tokens), sampler, terminal.Output);
            return ExitCode.Success;
        });
        return command;
    }
}
