using Akka.Actor;
using Cllm.Actors.Inspection;
using Petabridge.Cmd;
using Petabridge.Cmd.Host;

namespace Cllm.Actors.Pbm;

/// <summary>Answers the commands of <see cref="CllmCommands"/>, a line at a time. What they do is <see cref="OperatorCommands"/>' affair.</summary>
internal sealed class CllmCommandsActor : CommandHandlerActor
{
    private readonly OperatorCommands _commands;

    public CllmCommandsActor(RunControl control)
        : base(CllmCommands.Palette)
    {
        _commands = new(control);
        foreach (var (name, _, takesNode) in OperatorCommands.All)
        {
            Process(name, (command, arguments) =>
            {
                var text = takesNode ? arguments.ArgumentValues(CllmCommands.Node).FirstOrDefault() : null;
                int? node = int.TryParse(text, out var number) ? number : null;
                if (text is not null && node is null)
                {
                    Sender.Tell(new ErroredCommandResponse($"-n is '{text}' and must be a node's number."), Self);
                    return;
                }

                var (client, self) = (Sender, Self);
                Task.Run(() => AnswerAsync(name, node, client, self));
            });
        }
    }

    private async Task AnswerAsync(string name, int? node, IActorRef client, IActorRef self)
    {
        var (isDone, lines) = await _commands.RunAsync(name, node).ConfigureAwait(false);
        if (!isDone)
        {
            client.Tell(new ErroredCommandResponse(string.Join('\n', lines)), self);
            return;
        }

        foreach (var line in lines)
        {
            client.Tell(new CommandResponse(line, false), self);
        }

        client.Tell(CommandResponse.Empty, self);
    }
}
