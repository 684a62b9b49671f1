using YamlDotNet.Core;

namespace Cllm.Tests.Joining;

public sealed class YamlTests
{
    [Theory]
    [InlineData("name: a\nname: b")]
    [InlineData("{ name: a, name: b }")]
    [InlineData("labels: { app }")]
    [InlineData("labels: { app:cllm }")]
    [InlineData("labels: # { app: cllm }")]
    [InlineData("- --tls\n  - --join")]
    [InlineData("no de: { image: cllm }")]
    [InlineData("[name]: cllm")]
    [InlineData("&name: cllm")]
    [InlineData("name: !cllm trainer")]
    [InlineData("name: cllm\n---\n")]
    public void A_slip_is_refused_even_where_YAML_allows_it(string text) => Assert.ThrowsAny<YamlException>(() => Yaml.Documents(text));
}
