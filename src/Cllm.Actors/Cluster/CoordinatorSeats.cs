using Akka.Actor;
using Akka.Cluster;

namespace Cllm.Actors.Cluster;

/// <summary>
/// The processes that may coordinate, as the membership knows them. A static quorum bears the loss of a member only while at least so many of them are members,
/// and strikes off everybody while there are more than it was made for: so a run begins when all are there, and one too many is not taken in.
/// </summary>
/// <param name="cluster">The membership.</param>
internal sealed class CoordinatorSeats(Akka.Cluster.Cluster cluster)
{
    private const string QuorumKey = "akka.cluster.split-brain-resolver.static-quorum.quorum-size";

    /// <summary>How many there are to be, and no more: of so many, the quorum is a majority.</summary>
    public int Count { get; } = (2 * cluster.System.Settings.Config.GetInt(QuorumKey)) - 1;

    /// <summary>How many are members that count for the quorum: whoever only joins yet does not.</summary>
    public int Members => cluster.State.Members.Count(member => member.Status == MemberStatus.Up && MayCoordinate(member));

    /// <summary>The member at an address; none before the membership has told this process of it.</summary>
    public Member? At(Address address) => cluster.State.Members.FirstOrDefault(member => member.Address == address);

    /// <summary>Whether a member is one too many.</summary>
    /// <param name="member">Who wants to be taken in; never this process.</param>
    /// <param name="others">Where those are that were taken in.</param>
    public bool IsSurplus(Member member, IEnumerable<Address> others) =>
        MayCoordinate(member) && 1 + others.Count(other => other != member.Address && other != cluster.SelfAddress && At(other) is { } seated && MayCoordinate(seated)) >= Count;

    /// <summary>Whether a member's process is one of them.</summary>
    public static bool MayCoordinate(Member member) => member.HasRole(ClusterNode.CoordinatorRole);
}
