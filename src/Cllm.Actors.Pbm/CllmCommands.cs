using Akka.Actor;
using Cllm.Actors.Inspection;
using Petabridge.Cmd;
using Petabridge.Cmd.Host;

namespace Cllm.Actors.Pbm;

/// <summary>The palette <c>cllm</c>: <c>status</c>, <c>workers [-n node]</c>, <c>leases</c>, <c>checkpoint</c>, <c>pause</c>, <c>resume</c>, <c>drain -n node</c>.</summary>
/// <param name="control">The run.</param>
public sealed class CllmCommands(RunControl control) : CommandPaletteHandler(Palette)
{
    /// <summary>Name of the argument that is a node's number; its switch is <c>-n</c>.</summary>
    internal const string Node = "node";

    /// <summary>The commands of <see cref="OperatorCommands"/>.</summary>
    internal static CommandPalette Palette { get; } = new("cllm", [.. OperatorCommands.All.Select(command => Define(command.Name, command.Description, command.TakesNode))]);

    /// <inheritdoc/>
    public override Props HandlerProps => Props.Create(() => new CllmCommandsActor(control));

    private static CommandDefinition Define(string name, string description, bool takesNode)
    {
        var builder = new CommandDefinitionBuilder().WithName(name).WithDescription(description);
        return (takesNode ? builder.WithArgument(argument => argument.WithName(Node).WithDescription("The node's number.").IsMandatory(name == "drain").WithSwitch("-n")) : builder)
            .Build();
    }
}
