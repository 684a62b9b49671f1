using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;

namespace Cllm.Actors.Threads;

/// <summary>Akka's name for <see cref="ActorThreadsDispatcher"/>: makes the one of an actor system.</summary>
public sealed class ActorThreadsConfigurator : MessageDispatcherConfigurator
{
    private readonly ActorThreadsDispatcher _dispatcher;

    /// <summary>Called by Akka.NET.</summary>
    public ActorThreadsConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites) => _dispatcher = new(this);

    /// <inheritdoc/>
    public override MessageDispatcher Dispatcher() => _dispatcher;
}

/// <summary>Runs actors on <see cref="ActorThreads"/>.</summary>
internal sealed class ActorThreadsDispatcher : MessageDispatcher
{
    private readonly ActorThreads _threads;

    public ActorThreadsDispatcher(MessageDispatcherConfigurator configurator)
        : base(configurator)
    {
        Id = configurator.Config.GetString("id");
        ShutdownTimeout = configurator.Config.GetTimeSpan("shutdown-timeout");
        _threads = new("cllm actors");
    }

    public override void Attach(ActorCell cell)
    {
        _threads.Open();
        base.Attach(cell);
    }

    protected override void ExecuteTask(IRunnable run) => _threads.Execute(run);

    protected override void Shutdown() => _threads.Close();
}
