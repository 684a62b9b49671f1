using System.CommandLine;
using Cllm.Cli.Display;
using Cllm.Cli.Parsing;
using Cllm.Cli.Train;
using Cllm.Model;
using Cllm.Model.Feed;
using Cllm.Model.Text;

namespace Cllm.Cli.Commands;

/// <summary>`cllm eval`: how well a model predicts a text.</summary>
public static class EvalCommand
{
    /// <summary>The command for the parser.</summary>
    public static Command Create(Terminal terminal)
    {
        Option<string?> model = Values.Text("--model", "DIR", "A run, a checkpoint, or a Hugging Face GPT-2 folder.", required: true);
        Option<string?> data = Values.Text(
            "--data", "PATH", "A .txt file, a folder of them, or a .bin file of uint16 token ids.", required: true);
        var command = new Command("eval", "Measure loss, perplexity and bits per byte on a text.") { model, data };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(model)!, parsed.GetRequiredValue(data)!, terminal));
        return command;
    }

    private static int Run(string folder, string dataPath, Terminal terminal)
    {
        using TrainedModel model = TrainedModel.Load(folder);
        bool ids = TokenizedData.IsTokenIds(dataPath);
        ITokenizer? tokenizer = ids ? model.TokenizerIfAny() : model.Tokenizer();
        using TokenFile file = ids
            ? TokenFile.Open(dataPath, model.Layout.Shape.Vocabulary)
            : TokenFile.Of(dataPath, tokenizer!.Encode(TextSource.Read(dataPath)));
        HeldOutLoss result = HeldOutLoss.Measure(model.Layout.Shape, model.Weights.Span, tokenizer, file, 0, file.Length);
        var rows = new List<(string, string)>
        {
            ("loss", Format.Loss(result.Loss)),
            ("perplexity", result.Perplexity.ToString("F2")),
        };
        if (result.BitsPerByte is { } bits)
        {
            rows.Add(("bits per byte", bits.ToString("F4")));
        }

        rows.Add(("tokens", Format.Count(result.Tokens)));
        terminal.Table(rows);
        return ExitCode.Success;
    }
}
