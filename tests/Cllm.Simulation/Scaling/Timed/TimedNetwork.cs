namespace Cllm.Simulation.Scaling.Timed;

/// <summary>
/// Every node's link up to a switch that is never full, and down from it. Transfers go in blocks: those of a link up take turns, block by block; a link down
/// passes blocks on in the order in which they come. A transfer has two blocks at most on their way, so a link down that is full does not keep the links up.
/// </summary>
/// <remarks>Close to what TCP makes of it, where transfers that share a link get about the same of it, without the slow start and the losses.</remarks>
/// <param name="queue">Virtual time.</param>
/// <param name="nodes">Nodes.</param>
/// <param name="bytesPerTick">Of a link, in each direction.</param>
/// <param name="blockBytes">Of a block, at most.</param>
internal sealed class TimedNetwork(TimedQueue queue, int nodes, double bytesPerTick, double blockBytes)
{
    private const int UnderWayMax = 2;

    private readonly LinkUp[] _up = Make(nodes, () => new LinkUp(queue));
    private readonly LinkDown[] _down = Make(nodes, () => new LinkDown(queue));

    /// <summary>Begins to send bytes from one node to another.</summary>
    public void Send(int from, int to, long bytes, Action ended)
    {
        var blocks = (int)Math.Ceiling(bytes / blockBytes);
        _up[from].Join(new(_up[from], _down[to], blocks, (long)Math.Ceiling(bytes / bytesPerTick / blocks), ended));
    }

    private static T[] Make<T>(int count, Func<T> make) => [.. Enumerable.Range(0, count).Select(_ => make())];

    private sealed class Transfer(LinkUp up, LinkDown down, int blocks, long blockTicks, Action ended)
    {
        public LinkUp Up => up;

        public LinkDown Down => down;

        public long BlockTicks => blockTicks;

        public Action Ended => ended;

        /// <summary>Blocks that have not gone up.</summary>
        public int Waiting { get; set; } = blocks;

        /// <summary>Blocks that have gone up and not come down.</summary>
        public int UnderWay { get; set; }

        /// <summary>Whether it does not take its turn at the link up because enough is under way.</summary>
        public bool IsParked { get; set; }
    }

    private abstract class Link
    {
        private readonly TimedQueue _queue;
        private readonly Queue<Transfer> _waiting = new();
        private readonly Action _pass;
        private Transfer? _current;

        protected Link(TimedQueue queue) => (_queue, _pass) = (queue, Pass);

        public void Join(Transfer transfer)
        {
            _waiting.Enqueue(transfer);
            if (_current is null)
            {
                Begin();
            }
        }

        /// <summary>A block of a transfer has passed.</summary>
        protected abstract void Passed(Transfer transfer);

        private void Begin()
        {
            if (_waiting.TryDequeue(out _current))
            {
                _queue.At(_queue.NowTicks + _current.BlockTicks, _pass);
            }
        }

        private void Pass()
        {
            Passed(_current!);
            Begin();
        }
    }

    private sealed class LinkUp(TimedQueue queue) : Link(queue)
    {
        protected override void Passed(Transfer transfer)
        {
            transfer.Waiting--;
            transfer.UnderWay++;
            if (transfer.Waiting > 0)
            {
                transfer.IsParked = transfer.UnderWay >= UnderWayMax;
                if (!transfer.IsParked)
                {
                    Join(transfer);
                }
            }

            transfer.Down.Join(transfer);
        }
    }

    private sealed class LinkDown(TimedQueue queue) : Link(queue)
    {
        protected override void Passed(Transfer transfer)
        {
            transfer.UnderWay--;
            if (transfer.IsParked)
            {
                transfer.IsParked = false;
                transfer.Up.Join(transfer);
            }
            else if (transfer.Waiting == 0 && transfer.UnderWay == 0)
            {
                transfer.Ended();
            }
        }
    }
}
