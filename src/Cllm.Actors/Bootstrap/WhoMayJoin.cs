using Akka.Configuration;
using Cllm.Model;

namespace Cllm.Actors.Bootstrap;

/// <summary>
/// Whoever reaches a node's port may join the run and read its data, so without certificates only this machine may reach it.
/// </summary>
public static class WhoMayJoin
{
    private const string Advice =
        "make certificates with `cllm certificate --out tls` and give every node `--tls tls`, or listen at 127.0.0.1";

    private static readonly string[] BindKeys =
        ["akka.remote.dot-netty.tcp.hostname", "akka.remote.dot-netty.tcp.public-hostname", ClusterSystem.BindKey];

    /// <summary>Refuses an address at which a node may not listen.</summary>
    /// <param name="listen">The address.</param>
    /// <param name="tls">Whether certificates say who may join.</param>
    /// <exception cref="InputException">Others could reach it and nothing keeps them out, or nobody could.</exception>
    public static void Require(NodeAddress listen, bool tls)
    {
        if (IsEverywhere(listen.Host))
        {
            throw new InputException(
                $"--listen {listen} is no address that others can call; name the one they reach this machine at, for example {Environment.MachineName}:{listen.Port}.");
        }

        if (!tls && !listen.IsLoopback)
        {
            throw new InputException($"Without certificates anybody who reaches {listen} could join the run and read its data: {Advice}.");
        }
    }

    /// <summary>Refuses a configuration that binds elsewhere than the command line says.</summary>
    /// <exception cref="InputException">Without certificates, a key names an address that others could reach.</exception>
    public static void Require(Config hocon, bool tls)
    {
        foreach (string key in BindKeys)
        {
            string host = hocon.GetString(key, "");
            if (!tls && host.Length > 0 && !new NodeAddress(host, 0).IsLoopback)
            {
                throw new InputException($"{key} in the actor configuration is {host}, and without certificates anybody could join: {Advice}.");
            }
        }
    }

    private static bool IsEverywhere(string host) => host is "0.0.0.0" or "::" or "*";
}
