using System.Text.Json.Nodes;

namespace Cllm.Tests.Joining;

/// <summary>
/// The fields that deploy/ makes use of, each where it belongs: what is misspelt or stands elsewhere would be refused by a strict server and ignored by others. A
/// field that is new in deploy/ is looked up and added here.
/// </summary>
internal static class KnownFields
{
    private const string Any = "*";

    public static readonly Dictionary<string, string> Kubernetes = new()
    {
        ["/Service"] = "apiVersion kind metadata spec",
        ["/StatefulSet"] = "apiVersion kind metadata spec",
        ["/PodDisruptionBudget"] = "apiVersion kind metadata spec",
        ["*/metadata"] = "name labels",
        ["*/labels"] = Any,
        ["*/matchLabels"] = Any,
        ["*/requests"] = "cpu memory storage",
        ["Service/spec"] = "clusterIP publishNotReadyAddresses selector ports",
        ["Service/spec/selector"] = Any,
        ["Service/spec/ports"] = "name port",
        ["PodDisruptionBudget/spec"] = "maxUnavailable selector",
        ["*/selector"] = "matchLabels",
        ["StatefulSet/spec"] = "serviceName replicas podManagementPolicy selector template volumeClaimTemplates",
        ["*/template"] = "metadata spec",
        ["template/spec"] = "terminationGracePeriodSeconds securityContext containers volumes",
        ["template/spec/securityContext"] = "runAsNonRoot runAsUser fsGroup seccompProfile",
        ["*/seccompProfile"] = "type",
        ["spec/containers"] = "name image imagePullPolicy command args env ports startupProbe readinessProbe livenessProbe resources securityContext volumeMounts",
        ["containers/env"] = "name value valueFrom",
        ["*/valueFrom"] = "fieldRef",
        ["*/fieldRef"] = "fieldPath",
        ["containers/ports"] = "name containerPort",
        ["*/startupProbe"] = "httpGet periodSeconds failureThreshold",
        ["*/readinessProbe"] = "httpGet periodSeconds",
        ["*/livenessProbe"] = "httpGet periodSeconds failureThreshold",
        ["*/httpGet"] = "path port",
        ["*/resources"] = "requests limits",
        ["*/limits"] = "memory",
        ["containers/securityContext"] = "allowPrivilegeEscalation readOnlyRootFilesystem capabilities",
        ["*/capabilities"] = "drop",
        ["*/volumeMounts"] = "name mountPath readOnly",
        ["template/spec/volumes"] = "name secret emptyDir",
        ["volumes/secret"] = "secretName defaultMode",
        ["volumes/emptyDir"] = "sizeLimit",
        ["*/volumeClaimTemplates"] = "metadata spec",
        ["volumeClaimTemplates/spec"] = "accessModes resources",
    };

    public static readonly Dictionary<string, string> Compose = new()
    {
        ["/compose"] = "services volumes",
        ["compose/services"] = Any,
        ["compose/volumes"] = Any,
        ["services/*"] = "image build hostname entrypoint command volumes healthcheck stop_grace_period restart deploy depends_on",
        ["*/build"] = "context dockerfile",
        ["*/healthcheck"] = "disable",
        ["*/deploy"] = "replicas",
        ["*/depends_on"] = Any,
        ["depends_on/*"] = "condition",
    };

    /// <summary>What is below a node that is not known there, with its path.</summary>
    public static IEnumerable<string> Unknown(this Dictionary<string, string> known, string path, JsonNode? node)
    {
        switch (node)
        {
            case JsonArray items:
                return items.SelectMany(item => known.Unknown(path, item));
            case JsonObject keys:
                string fields = known.Of(path.Split('/'));
                return keys.SelectMany(key =>
                    fields == Any || fields.Split(' ').Contains(key.Key) ? known.Unknown($"{path}/{key.Key}", key.Value) : [$"{path} has no field {key.Key}"]);
            default:
                return [];
        }
    }

    /// <summary>The most that is said of a place: by its last three names, its last two, its last one, or what it is in.</summary>
    private static string Of(this Dictionary<string, string> known, string[] path) =>
        new[] { string.Join('/', path.TakeLast(3)), string.Join('/', path.TakeLast(2)), $"*/{path[^1]}", $"{path[^2]}/*" }
            .Select(place => known.GetValueOrDefault(place)).FirstOrDefault(fields => fields is not null) ?? "";
}
