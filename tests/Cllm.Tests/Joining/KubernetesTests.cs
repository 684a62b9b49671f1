namespace Cllm.Tests.Joining;

/// <summary>What a cluster would find wrong with the manifests, as far as it can be seen without one.</summary>
public sealed class KubernetesTests
{
    private static readonly string Text = DeployedText.Read("kubernetes", "cllm.yaml");
    private static readonly string Page = DeployedText.Read("kubernetes", "README.md");

    [Fact]
    public void The_manifests_fit_together() => Assert.Empty(Faults(Text));

    [Theory]
    [InlineData("maxUnavailable:", "maxUnavailble:", "PodDisruptionBudget/spec has no field maxUnavailble")]
    [InlineData("      terminationGracePeriodSeconds: 300", "      fsGroup: 1654", "spec/template/spec has no field fsGroup")]
    [InlineData("policy/v1", "policy/v1beta1", "policy/v1beta1 PodDisruptionBudget is not expected")]
    [InlineData("name: cllm-node\n", "name: cllm_node\n", "'cllm_node' is no name")]
    [InlineData("clusterIP: None", "clusterIP: 10.0.0.1", "cllm-trainer's service 'cllm' is no headless service here")]
    [InlineData("serviceName: cllm", "serviceName: trainer", "cllm-trainer's service 'trainer' is no headless service here")]
    [InlineData("  selector: { app: cllm }", "  selector: { app: clm }", "cllm does not select the pods of cllm-trainer")]
    [InlineData("matchLabels: { app: cllm, part: trainer }", "matchLabels: { app: cllm, part: node }", "cllm-trainer does not select its own pods")]
    [InlineData("httpGet: { path: /healthz, port: metrics }", "httpGet: { path: /healthz, port: metric }", "cllm-trainer's startupProbe asks port 'metric', which there is not")]
    [InlineData("path: /healthz", "path: /health", "cllm-trainer's startupProbe asks '/health', which is not served")]
    [InlineData("{ name: tensors, port: 4054 }", "{ name: tensors, port: 4055 }", "cllm-trainer has no port 4055")]
    [InlineData("--metrics-listen=0.0.0.0:9115", "--metrics-listen=0.0.0.0:9116", "cllm-node listens at 9116, which is no port of the container")]
    [InlineData("--join=cllm-trainer-0.cllm:4053", "--join=cllm-trainer.cllm:4053", "cllm-node joins cllm-trainer.cllm, which is no pod")]
    [InlineData("--wait-for-nodes 3", "--wait-for 3", "cllm train has no --wait-for")]
    [InlineData("- --tls=/tls", "- --standbys=2", "cllm node has no --standbys")]
    [InlineData("{ name: runs, mountPath: /runs }", "{ name: run, mountPath: /runs }", "cllm-trainer mounts 'run', which there is not")]
    [InlineData("secretName: cllm-tls", "secretName: tls", "README.md makes no secret 'tls'")]
    public void What_does_not_fit_is_found(string found, string instead, string fault) =>
        Assert.Contains(fault, string.Join('\n', Faults(Text.With(found, instead))), StringComparison.Ordinal);

    private static IEnumerable<string> Faults(string text) => new Manifests(Yaml.Documents(text), Page).Faults();
}
