namespace Cllm.Tests.Processes;

/// <summary>A fact that needs a small file system of its own, which a process may mount on most Linux machines and nowhere else.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class TmpfsFactAttribute : FactAttribute
{
    private static readonly Lazy<bool> CanMount = new(() =>
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        using var child = Child.Shell("unshare --user --map-root-user --mount sh -c 'mount -t tmpfs -o size=64k tmpfs /mnt'");
        return child.Wait().Code == 0;
    });

    public TmpfsFactAttribute() => Skip = CanMount.Value ? null! : "This machine does not let a user mount a tmpfs.";
}
