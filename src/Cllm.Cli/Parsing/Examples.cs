namespace Cllm.Cli.Parsing;

/// <summary>The examples that --help shows. A test parses every one of them.</summary>
public static class Examples
{
    /// <summary>Examples of one command; those of every command's first use for any other name.</summary>
    public static IReadOnlyList<(string Line, string Meaning)> Of(string command) => command switch
    {
        "train" =>
        [
            ("cllm train", "the built-in stories, about five minutes on two cores"),
            ("cllm train --data book.txt", "your own text, its own tokenizer of 1000 entries"),
            ("cllm train --data book.txt --preset shakespeare-cpu --out runs/book", "a preset, a folder of your choice"),
            ("cllm train --resume", "go on with the newest run under runs/, exactly where it stopped"),
            ("cllm train --data book.txt --init gpt2/ --steps 200 --lr 3e-5", "fine-tune a Hugging Face GPT-2 folder"),
            ("cllm train --workers 4 --threads-per-worker 2", "another split over the cores: other speed, the same bits"),
            ("cllm train --metrics-listen 127.0.0.1:9115", "for `cllm status` in another terminal, and for Prometheus"),
            ("cllm train --listen 127.0.0.1:4053", "let other processes of this machine join"),
            ("cllm train --listen trainer:4053 --tls tls --wait-for-nodes 3", "let other machines join, and begin with three"),
            ("cllm train --listen trainer:4053 --tls tls --standbys 2", "two `cllm node --standby` processes take over if this one is lost"),
        ],
        "node" =>
        [
            ("cllm node --join 127.0.0.1:4053", "take part in a run on this machine, with all cores"),
            ("cllm node --join trainer:4053 --tls tls --workers 4", "in one on another machine, with four workers"),
            ("cllm node --join trainer:4053 --tls tls --data book.txt", "with the run's data from this machine, so that they are not sent"),
            ("cllm node --join trainer:4053 --tls tls --standby --out runs/standby", "and take the run over when its process is lost"),
        ],
        "certificate" =>
        [
            ("cllm certificate --out tls", "an authority and a certificate that every node of a run can have"),
            ("cllm certificate --out tls --name trainer 10.0.0.7", "with the names and addresses of the machines in it"),
        ],
        "eval" =>
        [
            ("cllm eval --model runs/stories --data held-out.txt", "loss, perplexity and bits per byte of a text the model has not seen"),
        ],
        "generate" =>
        [
            ("cllm generate --model runs/stories", "a sample from nothing"),
            ("cllm generate --model runs/stories --prompt \"Once upon a time\" --tokens 200", "go on with a beginning"),
            ("cllm generate --model runs/stories --temperature 0", "the likeliest token each time"),
            ("cllm generate --model runs/stories --temperature 0.8 --top-k 40 --seed 7", "among the 40 likeliest tokens, repeatable"),
        ],
        "digest" =>
        [
            ("cllm digest runs/stories", "a finished model, or a run's newest checkpoint"),
            ("cllm digest runs/stories/checkpoints/step-500", "one checkpoint: weights and optimizer state"),
        ],
        "bench" =>
        [
            ("cllm bench", "limits, kernels and steps of three small models, in about two minutes"),
            ("cllm bench --shape gpt2 --threads 1", "one shape on one thread, and generation with it"),
            ("cllm bench --shape seed --kernels", "kernels only"),
            ("cllm bench --json", "one JSON object a line"),
        ],
        "status" =>
        [
            ("cllm status", "a run on this machine, begun with --metrics-listen 127.0.0.1:9115"),
            ("cllm status --at 127.0.0.1:9200 --watch", "another address, every second until Ctrl-C"),
            ("cllm status --json", "one JSON object, for scripts"),
        ],
        "workers" =>
        [
            ("cllm workers", "leaves done, tokens/s, time in compute and wait"),
            ("cllm workers --node 3 --watch", "those of one node, every second until Ctrl-C"),
        ],
        _ =>
        [
            ("cllm train", "train on the built-in stories and show a sample"),
            ("cllm generate --model runs/stories", "let the trained model write"),
            ("cllm train --help", "every option of a command"),
        ],
    };
}
