namespace Cllm.Actors.Wire;

/// <summary>
/// Marks the hosts' own messages that travel between processes; the machines' travel because of <see cref="Cllm.Protocol.IMessage"/>. Such a type is a sealed
/// record whose fields are numbers, strings, enums, records and structs, nullable ones or arrays of those: <see cref="WireShape"/> takes no other.
/// </summary>
public interface IWire;
