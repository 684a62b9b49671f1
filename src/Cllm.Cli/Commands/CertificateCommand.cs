using System.CommandLine;
using Cllm.Actors.Bootstrap;
using Cllm.Actors.Channel.Certificates;
using Cllm.Cli.Display;
using Cllm.Cli.Parsing;

namespace Cllm.Cli.Commands;

/// <summary>`cllm certificate`: the certificates that decide who may join a run.</summary>
public static class CertificateCommand
{
    /// <summary>The command for the parser.</summary>
    public static Command Create(Terminal terminal)
    {
        Option<string?> folder = Values.Text("--out", "DIR", "The folder that --tls names later: new, empty, or one whose authority issues another certificate.", required: true);
        var names = new Option<string[]>("--name")
        {
            Description = "Names and addresses of the machines that the certificate is for. [default: this machine]",
            HelpName = "HOST",
            AllowMultipleArgumentsPerToken = true,
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command("certificate", "Make certificates: whoever has one may join the run.") { folder, names };
        command.SetAction(parsed => Run(parsed.GetRequiredValue(folder)!, parsed.GetValue(names) ?? [Environment.MachineName], terminal));
        return command;
    }

    private static int Run(string folder, string[] names, Terminal terminal)
    {
        NodeCertificates.Create(folder, names);
        terminal.Say($"Made in {folder}:");
        terminal.Say($"  {NodeCertificates.NodeName}.pfx  certificate and key of a node; all nodes of a run can have the same");
        terminal.Say($"  {NodeCertificates.NodeName}.crt  {NodeCertificates.NodeName}.key  the same for other programs");
        terminal.Say($"  {CertificateAuthority.CertificateFile}    the authority that issued it; nodes accept those whom it has issued one");
        terminal.Say($"  {CertificateAuthority.KeyFile}    issues more; keep it, and give it to no node");
        terminal.Say(
            $"Copy {NodeCertificates.NodeName}.pfx and {CertificateAuthority.CertificateFile} to every machine, readable for one user, and start every process with --tls.");
        return ExitCode.Success;
    }
}
