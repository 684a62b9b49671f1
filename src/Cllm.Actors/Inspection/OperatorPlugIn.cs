using System.Reflection;
using Akka.Actor;

namespace Cllm.Actors.Inspection;

/// <summary>
/// Starts the pbm commands where their plug-in lies beside the program. It is found by name, for its packages are not to be had everywhere and nothing here needs them.
/// </summary>
public static class OperatorPlugIn
{
    private const string FileName = "Cllm.Actors.Pbm.dll";
    private const string TypeName = "Cllm.Actors.Pbm.PbmPlugIn";
    private const string MethodName = "Start";

    /// <summary>Starts it if it is there.</summary>
    /// <param name="system">The run's actor system.</param>
    /// <param name="control">The run.</param>
    /// <param name="folder">Where it may lie; the program's own folder when none is given.</param>
    /// <returns>Why a plug-in that is there does not run, in one sentence; none when it runs or is not there. The run goes on without it.</returns>
    public static string? Start(ActorSystem system, RunControl control, string? folder = null)
    {
        var path = Path.Combine(folder ?? AppContext.BaseDirectory, FileName);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var start = Assembly.LoadFrom(path).GetType(TypeName, throwOnError: true)!.GetMethod(MethodName, [typeof(ActorSystem), typeof(RunControl)]);
            if (start is null)
            {
                return $"{path} has no {TypeName}.{MethodName} and is left out; build it again.";
            }

            start.Invoke(null, [system, control]);
            return null;
        }
        catch (Exception failure)
        {
            // Whatever somebody else's packages throw: a run does not end because it cannot be inspected in one of three ways.
            var cause = failure is TargetInvocationException { InnerException: { } inner } ? inner : failure;
            return $"The pbm commands could not be started: {cause.Message.ReplaceLineEndings(" ")}";
        }
    }
}
