using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Cllm.Tests.Joining;

/// <summary>The objects of a Kubernetes manifest, and what does not fit together in them. The page beside it says how secrets are made.</summary>
internal sealed partial class Manifests(JsonNode[] objects, string page)
{
    private static readonly string[] Expected = ["v1 Service", "apps/v1 StatefulSet", "policy/v1 PodDisruptionBudget"];
    private static readonly string[] Probes = ["startupProbe", "readinessProbe", "livenessProbe"];

    public IEnumerable<string> Faults() => objects.SelectMany(Heads)
        .Concat(objects.SelectMany(each => KnownFields.Kubernetes.Unknown($"/{each["kind"]}", each)))
        .Concat(Of("StatefulSet").SelectMany(set => Selections(set).Concat(Containers(set)).Concat(Volumes(set))))
        .Concat(from budget in Of("PodDisruptionBudget")
                where !Of("StatefulSet").Any(set => Selects(budget["spec"]?["selector"]?["matchLabels"], set))
                select $"{Name(budget)} selects no pods");

    private IEnumerable<JsonNode> Of(string kind) => objects.Where(each => (string?)each["kind"] == kind);

    private static string Name(JsonNode? node) => (string?)(node?["metadata"] ?? node)?["name"] ?? "";

    private static IEnumerable<JsonNode> Items(JsonNode? list) => (list as JsonArray ?? []).OfType<JsonNode>();

    private static bool Selects(JsonNode? selector, JsonNode set) =>
        selector is JsonObject { Count: > 0 } labels
        && labels.All(label => (string?)label.Value == (string?)set["spec"]?["template"]?["metadata"]?["labels"]?[label.Key]);

    private IEnumerable<string> Heads(JsonNode each)
    {
        string kind = $"{each["apiVersion"]} {each["kind"]}";
        string name = Name(each);
        if (!Expected.Contains(kind))
        {
            yield return $"{kind} is not expected";
        }

        if (!DnsName().IsMatch(name))
        {
            yield return $"'{name}' is no name";
        }

        if (objects.Count(other => Name(other) == name && (string?)other["kind"] == (string?)each["kind"]) > 1)
        {
            yield return $"{kind} {name} is there twice";
        }
    }

    private IEnumerable<string> Selections(JsonNode set)
    {
        var service = Of("Service").FirstOrDefault(each => Name(each) == (string?)set["spec"]?["serviceName"]);
        if ((string?)service?["spec"]?["clusterIP"] != "None")
        {
            yield return $"{Name(set)}'s service '{set["spec"]?["serviceName"]}' is no headless service here";
        }
        else if (!Selects(service["spec"]?["selector"], set))
        {
            yield return $"{Name(service)} does not select the pods of {Name(set)}";
        }

        if (!Selects(set["spec"]?["selector"]?["matchLabels"], set))
        {
            yield return $"{Name(set)} does not select its own pods";
        }

        string?[] ports = [.. Items(set["spec"]?["template"]?["spec"]?["containers"]).SelectMany(container => Items(container["ports"])).Select(port => (string?)port["containerPort"])];
        foreach (string? port in Items(service?["spec"]?["ports"]).Select(port => (string?)port["port"]).Except(ports))
        {
            yield return $"{Name(set)} has no port {port}";
        }
    }

    private IEnumerable<string> Containers(JsonNode set) => Items(set["spec"]?["template"]?["spec"]?["containers"]).SelectMany(container =>
    {
        var line = new ProgramLine(container["command"], container["args"]);
        return line.Faults().Concat(Ports(Name(set), container, line));
    });

    private IEnumerable<string> Ports(string name, JsonNode container, ProgramLine line)
    {
        string?[] names = [.. Items(container["ports"]).Select(port => (string?)port["name"])];
        foreach (string probe in Probes)
        {
            var asked = container[probe]?["httpGet"];
            if (!names.Contains((string?)asked?["port"]))
            {
                yield return $"{name}'s {probe} asks port '{asked?["port"]}', which there is not";
            }

            if ((string?)asked?["path"] != "/healthz")
            {
                yield return $"{name}'s {probe} asks '{asked?["path"]}', which is not served";
            }
        }

        foreach (string? port in new[] { line.Value("--listen"), line.Value("--metrics-listen") }.Select(address => address?.Split(':')[^1]))
        {
            if (!Items(container["ports"]).Any(each => (string?)each["containerPort"] == port))
            {
                yield return $"{name} listens at {port}, which is no port of the container";
            }
        }

        string? seed = line.Value("--join")?.Split(':')[0];
        if (seed is not null && !Of("StatefulSet").Any(set => seed == $"{Name(set)}-0.{set["spec"]?["serviceName"]}"))
        {
            yield return $"{name} joins {seed}, which is no pod";
        }
    }

    private IEnumerable<string> Volumes(JsonNode set)
    {
        var pod = set["spec"]?["template"]?["spec"];
        string[] there = [.. Items(pod?["volumes"]).Concat(Items(set["spec"]?["volumeClaimTemplates"])).Select(Name)];
        string[] mounted = [.. Items(pod?["containers"]).SelectMany(container => Items(container["volumeMounts"])).Select(Name)];
        var secrets = Items(pod?["volumes"]).Select(volume => (string?)volume["secret"]?["secretName"]).OfType<string>();
        return mounted.Except(there).Select(name => $"{Name(set)} mounts '{name}', which there is not")
            .Concat(there.Except(mounted).Select(name => $"{Name(set)} has '{name}' and does not mount it"))
            .Concat(secrets.Where(secret => !page.Contains($"kubectl create secret generic {secret} ", StringComparison.Ordinal))
                .Select(secret => $"README.md makes no secret '{secret}'"));
    }

    [GeneratedRegex("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    private static partial Regex DnsName();
}
