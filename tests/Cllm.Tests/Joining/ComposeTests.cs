using System.Text.Json.Nodes;

namespace Cllm.Tests.Joining;

/// <summary>The services of the compose file start the program as it is, and what they refer to is there.</summary>
public sealed class ComposeTests
{
    private static readonly string Text = DeployedText.Read("container", "compose.yaml");
    private static readonly string Image = DeployedText.Read("container", "Dockerfile");

    [Fact]
    public void The_services_fit_together() => Assert.Empty(Faults(Text));

    [Theory]
    [InlineData("stop_grace_period", "stop_grace_periods", "compose/services/trainer has no field stop_grace_periods")]
    [InlineData("hostname: trainer\n", "hostname: train\n", "node joins trainer, which there is not")]
    [InlineData("--wait-for-nodes 2", "--wait-for 2", "trainer: cllm train has no --wait-for")]
    [InlineData("\"--tls\"", "\"--standbys\"", "node: cllm node has no --standbys")]
    [InlineData("certificates: { condition", "certificate: { condition", "trainer depends on certificate, which there is not")]
    [InlineData("service_completed_successfully", "service_completed", "trainer waits for 'service_completed', which compose does not know")]
    [InlineData("\"tls:/tls:ro\", \"runs:/runs\"", "\"tls:/tls:ro\", \"run:/runs\"", "trainer mounts run, which there is not")]
    [InlineData("\"127.0.0.1:9115\"]", "\"127.0.0.1:9116\"]", "node: its health is not served at 127.0.0.1:9115")]
    public void What_does_not_fit_is_found(string found, string instead, string fault) =>
        Assert.Contains(fault, string.Join('\n', Faults(Text.With(found, instead))), StringComparison.Ordinal);

    [Fact]
    public void The_image_asks_for_the_health_that_its_services_serve()
    {
        Assert.Contains("HEALTHCHECK", Image, StringComparison.Ordinal);
        Assert.Contains("/dev/tcp/127.0.0.1/9115", Image, StringComparison.Ordinal);
    }

    private static IEnumerable<string> Faults(string text)
    {
        var file = Assert.Single(Yaml.Documents(text));
        var services = file["services"]!.AsObject();
        return KnownFields.Compose.Unknown("/compose", file).Concat(services.SelectMany(service => Faults(service.Key, service.Value!, file)));
    }

    private static IEnumerable<string> Faults(string name, JsonNode service, JsonNode file)
    {
        var services = file["services"]!.AsObject();
        var line = new ProgramLine(service["entrypoint"], service["command"]);
        bool watched = (string?)service["healthcheck"]?["disable"] != "true";
        var mounts = service["volumes"]!.AsArray().Select(volume => ((string)volume!).Split(':')[0]);
        var waits = service["depends_on"] as JsonObject ?? [];
        var hosts = services.Select(each => (string?)each.Value!["hostname"]);
        string? seed = line.Value("--join")?.Split(':')[0];
        return
        [
            .. line.Faults().Select(fault => $"{name}: {fault}"),
            .. waits.Where(wait => !services.ContainsKey(wait.Key)).Select(wait => $"{name} depends on {wait.Key}, which there is not"),
            .. waits.Select(wait => (string?)wait.Value?["condition"]).Except(["service_started", "service_healthy", "service_completed_successfully"])
                .Select(condition => $"{name} waits for '{condition}', which compose does not know"),
            .. mounts.Where(mount => !file["volumes"]!.AsObject().ContainsKey(mount)).Select(mount => $"{name} mounts {mount}, which there is not"),
            .. watched && line.Value("--metrics-listen") != "127.0.0.1:9115" ? [$"{name}: its health is not served at 127.0.0.1:9115"] : Array.Empty<string>(),
            .. seed is not null && !hosts.Contains(seed) ? [$"{name} joins {seed}, which there is not"] : Array.Empty<string>(),
        ];
    }
}
