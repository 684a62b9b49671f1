using System.Text.Json;
using System.Text.RegularExpressions;
using Cllm.Cli;
using Cllm.Cli.Train;

namespace Cllm.Tests.Cli;

public sealed class TrainSessionTests : IDisposable
{
    private static readonly string[] OneSmallLayer = ["--layers", "1", "--width", "16", "--block", "8", "--steps", "2"];

    private static readonly string[] Endless = ["--steps", "100000"];

    private readonly Workshop _shop = new();

    public void Dispose() => _shop.Dispose();

    [Fact]
    public void A_run_leaves_its_files_and_tells_its_result()
    {
        Said said = _shop.Train("run", "--eval-every", "5");
        Assert.Equal((ExitCode.Success, ""), (said.Code, said.Error));
        foreach (string file in new[] { "run.json", "metrics.jsonl", "model.safetensors", "config.json", "tokenizer.json" })
        {
            Assert.True(new FileInfo(_shop.At($"run/{file}")).Length > 0, file);
        }

        Assert.True(File.Exists(_shop.At("run/checkpoints/step-12/state.json")));
        Assert.Contains("step 12 of 12, loss ", said.Output);
        Assert.Contains("step 10, validation loss ", said.Output);
        Assert.Contains("Measuring its loss on all 186 tokens held out …", said.Output);
        Assert.Contains("bits per byte", said.Output);
        Assert.Contains("Sample:", said.Output);
        Assert.Contains(_shop.Digest("run").Split(' ')[1], said.Output);
        Assert.Contains($"generate --model {_shop.At("run")}", said.Output);
    }

    [Fact]
    public void Metrics_hold_one_object_per_step_and_the_digest_at_the_end()
    {
        _shop.Train("run", "--eval-every", "4");
        JsonElement[] lines = [.. File.ReadLines(_shop.At("run/metrics.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(Enumerable.Range(0, 12), lines.Select(line => line.GetProperty("step").GetInt32()));
        Assert.All(lines, line => Assert.True(line.GetProperty("tokens_per_second").GetDouble() > 0));
        IEnumerable<JsonElement> evaluated = lines.Where(line => line.TryGetProperty("val_loss", out _));
        Assert.Equal([3, 7, 11], evaluated.Select(line => line.GetProperty("step").GetInt32()));
        Assert.Equal(_shop.Digest("run"), $"weights {lines[^1].GetProperty("digest").GetString()}");
    }

    [Fact]
    public void Workers_and_threads_change_no_bit()
    {
        _shop.Train("one", "--workers", "1");
        _shop.Train("three", "--workers", "3", "--threads-per-worker", "2");
        Assert.Equal(_shop.Digest("one"), _shop.Digest("three"));
    }

    [Fact]
    public void A_stopped_run_leaves_a_checkpoint_and_says_how_to_go_on()
    {
        Said said = _shop.TrainUntil(1, "run", Endless);
        Assert.Equal(ExitCode.Interrupted, said.Code);
        Assert.Contains("Ctrl-C again leaves at once.", said.Output);
        string sentence = said.IsOneSentence();
        Match stopped = Regex.Match(sentence, @"^Stopped after step (\d+) of 100000, with a checkpoint; go on with `.* train --resume --out .*`\.$");
        Assert.True(stopped.Success, sentence);
        Assert.True(Directory.Exists(_shop.At($"run/checkpoints/step-{stopped.Groups[1].Value}")));
        Assert.False(File.Exists(_shop.At("run/model.safetensors")));
    }

    [Fact]
    public void A_stopped_and_resumed_run_ends_with_the_bits_of_one_that_was_not()
    {
        _shop.Train("whole", "--steps", "800");
        Assert.Equal(ExitCode.Interrupted, _shop.TrainUntil(1, "parts", "--steps", "800").Code);
        Assert.Equal(ExitCode.Interrupted, _shop.TrainUntil(300, "parts", "--steps", "800", "--resume").Code);
        Said last = Said.By("train", "--resume", "--out", _shop.At("parts"), "--workers", "3");
        Assert.Equal((ExitCode.Success, ""), (last.Code, last.Error));
        Assert.Contains("Going on after step ", last.Output);
        Assert.Equal(_shop.Digest("whole"), _shop.Digest("parts"));
        Assert.Equal(800, File.ReadLines(_shop.At("parts/metrics.jsonl")).Count());
    }

    [Fact]
    public void A_finished_run_resumes_to_the_same_result()
    {
        _shop.Train("run");
        string digest = _shop.Digest("run");
        Said again = _shop.Train("run", "--resume");
        Assert.Equal((ExitCode.Success, ""), (again.Code, again.Error));
        Assert.Contains("Nothing is left to train after step 12 of 12.", again.Output);
        Assert.Equal(digest, _shop.Digest("run"));
    }

    [Fact]
    public void What_changes_no_bit_is_kept_when_a_run_is_resumed_unless_it_is_given_anew()
    {
        _shop.Train("run", "--checkpoint-every", "7", "--recompute");
        _shop.Train("run", "--resume");
        Assert.Equal((7, true), (Options().GetProperty("checkpoint_every").GetInt64(), Options().GetProperty("recompute").GetBoolean()));
        _shop.Train("run", "--resume", "--checkpoint-every", "9");
        Assert.Equal((9, true), (Options().GetProperty("checkpoint_every").GetInt64(), Options().GetProperty("recompute").GetBoolean()));
        _shop.Train("run", "--resume", "--recompute", "false");
        Assert.Equal((9, false), (Options().GetProperty("checkpoint_every").GetInt64(), Options().GetProperty("recompute").GetBoolean()));
        JsonElement Options() => JsonDocument.Parse(File.ReadAllText(_shop.At("run/run.json"))).RootElement.GetProperty("options");
    }

    [Fact]
    public void A_run_cannot_become_longer_and_says_how_to_go_on_from_its_weights()
    {
        _shop.Train("run");
        string sentence = Refused(Said.By("train", "--resume", "--out", _shop.At("run"), "--steps", "24"));
        Assert.Contains($"--init {_shop.At("run")} and another --out", sentence);
    }

    [Fact]
    public void A_folder_with_a_run_is_not_written_over()
    {
        _shop.Train("run");
        string digest = _shop.Digest("run");
        Assert.Contains("holds this run already", Refused(_shop.Train("run")));
        Assert.Contains("holds another run", Refused(_shop.Train("run", "--seed", "2")));
        Assert.Equal(digest, _shop.Digest("run"));
    }

    [Fact]
    public void Resuming_with_other_data_is_refused()
    {
        _shop.TrainUntil(1, "run", Endless);
        File.WriteAllText(_shop.At("other.txt"), new string('x', 2000));
        Said said = Said.By("train", "--resume", "--out", _shop.At("run"), "--data", _shop.At("other.txt"));
        Assert.Contains("was started with other data than", Refused(said));
    }

    [Fact]
    public void A_run_whose_tokens_changed_is_not_resumed()
    {
        _shop.TrainUntil(1, "run", Endless);
        string tokens = _shop.At("run/tokens.bin");
        byte[] bytes = File.ReadAllBytes(tokens);
        bytes[0] ^= 1;
        File.WriteAllBytes(tokens, bytes);
        Assert.Contains("has changed since the run was started", Refused(Said.By("train", "--resume", "--out", _shop.At("run"))));
    }

    [Theory]
    [InlineData("There is no file or folder ", "missing.txt", null)]
    [InlineData(" is empty; give --data a file with text.", "empty.txt", "")]
    [InlineData("The training part has ", "short.txt", "Hi.")]
    [InlineData(" an odd number, ", "odd.bin", "abc")]
    [InlineData(" is empty; ", "empty.bin", "")]
    public void Data_that_cannot_be_used_leave_nothing_behind(string part, string name, string? content)
    {
        if (content is not null)
        {
            File.WriteAllText(_shop.At(name), content);
        }

        Assert.Contains(part, Refused(Said.By("train", "--data", _shop.At(name), "--out", _shop.At("run"))));
        Assert.False(Path.Exists(_shop.At("run")));
    }

    [Fact]
    public void A_folder_below_a_file_is_refused()
    {
        Assert.Contains("is a file and no folder", Refused(_shop.Train("cats.txt")));
        Assert.Contains($"for {_shop.Text} is a file; choose another --out.", Refused(_shop.Train("cats.txt/run")));
    }

    [Fact]
    public void A_run_that_no_machine_has_memory_for_is_refused_before_it_begins()
    {
        string sentence = Refused(_shop.Train(
            "run", "--width", "4096", "--layers", "8", "--workers", "1024", "--leaves", "1024", "--batch", "1024"));
        Assert.Contains("This takes about ", sentence);
        Assert.Contains("fewer --workers", sentence);
        Assert.Contains("--recompute", sentence);
        Assert.False(Path.Exists(_shop.At("run")));
    }

    [Fact]
    public void Actor_configuration_that_cannot_be_read_leaves_nothing_behind()
    {
        File.WriteAllText(_shop.At("broken.hocon"), "a { }, b = 1");
        File.WriteAllText(_shop.At("soon.hocon"), "cllm.patience = soon");
        Assert.Contains("missing.hocon", Refused(_shop.Train("run", "--hocon", _shop.At("missing.hocon"))));
        Assert.Contains("broken.hocon", Refused(_shop.Train("run", "--hocon", _shop.At("broken.hocon"))));
        Assert.Contains("cllm.patience", Refused(_shop.Train("run", "--hocon", _shop.At("soon.hocon"))));
        Assert.False(Path.Exists(_shop.At("run")));
    }

    [Fact]
    public void Training_that_diverges_ends_with_one_sentence()
    {
        Said said = _shop.Train("run", "--lr", "1e30", "--warmup", "0", "--grad-clip", "0");
        Assert.Equal(ExitCode.Failure, said.Code);
        Assert.StartsWith("Training ended after step 1: in step 2 the loss is NaN and the gradient's norm NaN, so training has diverged, ", said.IsOneSentence());
    }

    [Fact]
    public void A_model_that_predicts_nothing_is_no_success()
    {
        Said said = _shop.Train("run", "--steps", "1", "--lr", "3e38", "--warmup", "0", "--eval-every", "0");
        Assert.Equal(ExitCode.Failure, said.Code);
        Assert.Contains("after step 1 ", said.IsOneSentence());
        Assert.Contains("diverged", said.Error);
        Assert.DoesNotContain("Sample", said.Output);
    }

    [Fact]
    public void A_token_beyond_the_vocabulary_is_named()
    {
        File.WriteAllBytes(_shop.At("ids.bin"), [.. Enumerable.Range(0, 400).SelectMany(i => BitConverter.GetBytes((ushort)(i % 50)))]);
        string[] line = ["train", "--data", _shop.At("ids.bin"), "--out", _shop.At("run"), .. OneSmallLayer];
        Assert.Contains("give --vocab at least 41", Refused(Said.By([.. line, "--vocab", "40"])));
        Said said = Said.By([.. line, "--vocab", "50"]);
        Assert.Equal((ExitCode.Success, ""), (said.Code, said.Error));
        Assert.DoesNotContain("Sample", said.Output);
        Assert.Equal(ExitCode.Success, Said.By("eval", "--model", _shop.At("run"), "--data", _shop.At("ids.bin")).Code);
        Assert.Equal(ExitCode.Success, Said.By("train", "--resume", "--out", _shop.At("run")).Code);
    }

    [Fact]
    public void Token_ids_may_be_given_through_a_link()
    {
        File.WriteAllBytes(_shop.At("ids.bin"), [.. Enumerable.Range(0, 4000).SelectMany(i => BitConverter.GetBytes((ushort)(i % 50)))]);
        File.CreateSymbolicLink(_shop.At("link.bin"), _shop.At("ids.bin"));
        Said said = Said.By(["train", "--data", _shop.At("link.bin"), "--out", _shop.At("run"), .. OneSmallLayer]);
        Assert.Equal((ExitCode.Success, ""), (said.Code, said.Error));
        Assert.Contains("3,600 tokens to train on, 400 held out", said.Output);
    }

    [Fact]
    public void Training_starts_from_a_given_model_and_its_tokenizer()
    {
        _shop.Train("first", "--steps", "60", "--lr", "1e-2");
        Said tuned = Said.By(
            "train", "--data", _shop.Text, "--init", _shop.At("first"), "--out", _shop.At("tuned"),
            "--steps", "1", "--lr", "1e-6", "--batch", "4");
        Assert.Equal((ExitCode.Success, ""), (tuned.Code, tuned.Error));
        double before = Loss(_shop.At("first"), ^1);
        double after = Loss(_shop.At("tuned"), ^1);
        Assert.InRange(after, before - 1, before + 1);
        Assert.True(after < 4.5, $"{after} is the loss of a model that starts from nothing");
        Assert.Equal(File.ReadAllBytes(_shop.At("first/tokenizer.json")), File.ReadAllBytes(_shop.At("tuned/tokenizer.json")));
    }

    [Fact]
    public void Settings_that_the_data_or_the_model_decide_are_refused()
    {
        _shop.Train("first");
        string[] line = ["train", "--data", _shop.Text, "--out", _shop.At("run")];
        Assert.Contains("--vocab is for bpe", Refused(Said.By([.. line, "--tokenizer", "byte", "--vocab", "300"])));
        Assert.Contains("leave --tokenizer out", Refused(Said.By([.. line, "--init", _shop.At("first"), "--tokenizer", "byte"])));
        Assert.Contains("leave --layers out", Refused(Said.By([.. line, "--init", _shop.At("first"), "--layers", "3"])));
        Assert.False(Path.Exists(_shop.At("run")));
    }

    [Fact]
    public void Names_of_runs_come_from_the_preset_or_the_data_and_stay_free()
    {
        string runs = _shop.At("runs");
        Assert.Equal(Path.Combine(runs, "book"), RunLocation.OfNew(Said.Train("--data", "shelf/book.txt"), runs));
        Assert.Equal(Path.Combine(runs, "stories"), RunLocation.OfNew(Said.Train(), runs));
        Assert.Equal(Path.Combine(runs, "seed"), RunLocation.OfNew(Said.Train("--preset", "seed", "--data", "book.txt"), runs));
        Assert.Equal("elsewhere", RunLocation.OfNew(Said.Train("--out", "elsewhere"), runs));
        Directory.CreateDirectory(Path.Combine(runs, "book"));
        Directory.CreateDirectory(Path.Combine(runs, "book-2"));
        Assert.Equal(Path.Combine(runs, "book-3"), RunLocation.OfNew(Said.Train("--data", "book.txt"), runs));
    }

    [Fact]
    public void The_run_that_was_active_last_is_resumed()
    {
        Assert.Throws<Cllm.Model.InputException>(() => RunLocation.OfResumed(Said.Train("--resume"), _shop.At("runs")));
        _shop.Train("runs/older");
        _shop.Train("runs/newer");
        File.SetLastWriteTimeUtc(_shop.At("runs/older/metrics.jsonl"), DateTime.UtcNow.AddHours(1));
        Assert.Equal(_shop.At("runs/older"), RunLocation.OfResumed(Said.Train("--resume"), _shop.At("runs")));
        Assert.Equal("x", RunLocation.OfResumed(Said.Train("--resume", "--out", "x"), _shop.At("runs")));
    }

    private static string Refused(Said said)
    {
        Assert.Equal(ExitCode.Usage, said.Code);
        return said.IsOneSentence();
    }

    private static double Loss(string run, Index step) =>
        JsonDocument.Parse(File.ReadAllLines(Path.Combine(run, "metrics.jsonl"))[step]).RootElement.GetProperty("loss").GetDouble();
}
