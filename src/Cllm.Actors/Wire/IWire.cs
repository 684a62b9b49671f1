namespace Cllm.Actors.Wire;

/// <summary>Marks the hosts' own messages that travel between processes; the machines' travel because of <see cref="Cllm.Protocol.IMessage"/>.</summary>
public interface IWire;
