using Cllm.Cli;

namespace Cllm.Tests.Cli;

/// <summary>generate, eval and digest over one small trained model.</summary>
public sealed class ModelCommandTests(ModelCommandTests.Trained trained) : IClassFixture<ModelCommandTests.Trained>
{
    private string Model => trained.Shop.At("model");

    [Fact]
    public void The_same_seed_writes_the_same_text_and_another_does_not()
    {
        string first = Generate("--seed", "3");
        Assert.Equal(first, Generate("--seed", "3"));
        Assert.NotEqual(first, Generate("--seed", "4"));
        Assert.StartsWith("The cat", first);
    }

    [Fact]
    public void Without_temperature_or_choice_the_seed_does_not_matter()
    {
        Assert.Equal(Generate("--temperature", "0", "--seed", "3"), Generate("--temperature", "0", "--seed", "4"));
        Assert.Equal(Generate("--temperature", "0"), Generate("--top-k", "1"));
    }

    [Fact]
    public void The_text_has_the_wanted_length_also_beyond_a_block()
    {
        Said said = Said.By("generate", "--model", Model, "--prompt", "The", "--tokens", "40", "--temperature", "0");
        Assert.Equal(ExitCode.Success, said.Code);
        Assert.Equal(3 + 40, said.Output.TrimEnd('\r', '\n').Length);
    }

    [Fact]
    public void A_prompt_may_be_empty() =>
        Assert.Equal(ExitCode.Success, Said.By("generate", "--model", Model, "--prompt", "", "--tokens", "5").Code);

    [Fact]
    public void Eval_tells_loss_perplexity_and_bits_per_byte()
    {
        Said said = Said.By("eval", "--model", Model, "--data", trained.Shop.Text);
        Assert.Equal((ExitCode.Success, ""), (said.Code, said.Error));
        double loss = Value(said, "loss");
        Assert.InRange(loss, 0.01, Math.Log(256));
        Assert.Equal(Math.Exp(loss), Value(said, "perplexity"), 0.02);
        // With a tokenizer of bytes, a token is a byte.
        Assert.Equal(loss / Math.Log(2), Value(said, "bits per byte"), 0.001);
    }

    [Fact]
    public void A_checkpoint_can_be_used_like_a_model()
    {
        string checkpoint = Path.Combine(Model, "checkpoints", "step-12");
        Said said = Said.By("generate", "--model", checkpoint, "--prompt", "The cat", "--tokens", "30", "--seed", "3");
        Assert.Equal(Generate("--seed", "3"), said.Output);
        string[] lines = Said.By("digest", checkpoint).Output.TrimEnd().Split(Environment.NewLine);
        Assert.Equal(2, lines.Length);
        Assert.Equal(trained.Shop.Digest("model"), lines[0]);
        Assert.Matches("^optimizer [0-9a-f]{64}$", lines[1]);
    }

    [Fact]
    public void An_unfinished_run_is_its_newest_checkpoint()
    {
        trained.Shop.TrainUntil(1, "unfinished", "--steps", "100000");
        Said said = Said.By("digest", trained.Shop.At("unfinished"));
        Assert.Equal(ExitCode.Success, said.Code);
        Assert.Contains("optimizer ", said.Output);
    }

    [Theory]
    [InlineData("generate", "--model")]
    [InlineData("digest")]
    public void A_folder_without_a_model_is_refused(params string[] command)
    {
        Assert.Contains("There is no folder", Said.By([.. command, trained.Shop.At("nowhere")]).IsRefused());
        Assert.Contains("There is no model in", Said.By([.. command, trained.Shop.Folder]).IsRefused());
    }

    [Fact]
    public void Damaged_weights_are_refused_with_one_sentence()
    {
        string broken = trained.Shop.At("broken");
        Directory.CreateDirectory(broken);
        foreach (string file in new[] { "config.json", "tokenizer.json" })
        {
            File.Copy(Path.Combine(Model, file), Path.Combine(broken, file), overwrite: true);
        }

        byte[] weights = File.ReadAllBytes(Path.Combine(Model, "model.safetensors"));
        File.WriteAllBytes(Path.Combine(broken, "model.safetensors"), weights[..(weights.Length / 2)]);
        Assert.Contains("model.safetensors", Said.By("digest", broken).IsRefused());
    }

    [Fact]
    public void A_model_without_a_tokenizer_cannot_write_and_says_why()
    {
        string bare = trained.Shop.At("bare");
        Directory.CreateDirectory(bare);
        foreach (string file in new[] { "config.json", "model.safetensors" })
        {
            File.Copy(Path.Combine(Model, file), Path.Combine(bare, file), overwrite: true);
        }

        Assert.Contains("has no tokenizer.json", Said.By("generate", "--model", bare).IsRefused());
        Assert.Equal(ExitCode.Success, Said.By("digest", bare).Code);
    }

    [Fact]
    public void A_file_in_a_models_folder_is_answered_with_the_folder()
    {
        string file = Path.Combine(Model, "model.safetensors");
        Assert.Contains($"{file} is a file; give the folder that it is in, {Path.GetFullPath(Model)}.", Said.By("generate", "--model", file).IsRefused());
    }

    [Theory]
    [InlineData("pytorch_model.bin")]
    [InlineData("model.safetensors.index.json")]
    public void Weights_in_another_form_are_named_with_what_converts_them(string name)
    {
        string folder = trained.Shop.At(name + "-folder");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), "{}");
        File.WriteAllText(Path.Combine(folder, name), "");
        foreach (string[] line in new string[][] { ["digest", folder], ["generate", "--model", folder], ["train", "--data", trained.Shop.Text, "--init", folder] })
        {
            string sentence = Said.By(line).IsRefused();
            Assert.Contains($"has its weights in {name}", sentence);
            Assert.Contains($"M.from_pretrained(\"{folder}\").save_pretrained(\"{folder}\"", sentence);
        }
    }

    [Fact]
    public void A_text_shorter_than_a_block_cannot_be_evaluated()
    {
        File.WriteAllText(trained.Shop.At("hi.txt"), "Hi.");
        Assert.Contains("use more text", Said.By("eval", "--model", Model, "--data", trained.Shop.At("hi.txt")).IsRefused());
    }

    private string Generate(params string[] more)
    {
        Said said = Said.By(["generate", "--model", Model, "--prompt", "The cat", "--tokens", "30", .. more]);
        Assert.Equal((ExitCode.Success, ""), (said.Code, said.Error));
        return said.Output;
    }

    private static double Value(Said said, string name)
    {
        string line = said.Output.Split('\n').Select(l => l.Trim()).First(text => text.StartsWith($"{name} ", StringComparison.Ordinal));
        return double.Parse(line[name.Length..]);
    }

    public sealed class Trained : IDisposable
    {
        public Trained() => Assert.Equal(ExitCode.Success, Shop.Train("model", "--lr", "1e-2").Code);

        public Workshop Shop { get; } = new();

        public void Dispose() => Shop.Dispose();
    }
}
