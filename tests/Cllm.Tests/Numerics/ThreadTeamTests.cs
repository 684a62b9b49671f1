using Cllm.Numerics.Parallel;

namespace Cllm.Tests.Numerics;

public sealed class ThreadTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void No_member_passes_a_barrier_before_all_have_come(int threads)
    {
        using var team = new ThreadTeam(threads);
        var program = new Phases(threads);
        for (int run = 0; run < 50; run++)
        {
            team.Run(program);
        }

        Assert.False(program.Early);
        Assert.Equal(50 * 20 * threads, program.Arrivals);
    }

    [Fact]
    public void A_member_that_fails_stops_the_others_and_its_exception_reaches_the_caller()
    {
        using var team = new ThreadTeam(3);
        for (int failing = 0; failing < 3; failing++)
        {
            var error = Assert.Throws<InvalidOperationException>(() => team.Run(new Failing(failing)));
            Assert.Equal($"member {failing}", error.Message);
        }

        team.Run(new Phases(3));
    }

    [Theory]
    [InlineData(10, 3, 1)]
    [InlineData(77, 4, 16)]
    [InlineData(2, 5, 1)]
    [InlineData(0, 2, 16)]
    public void Parts_cover_all_outputs_once_in_order(int count, int threads, int multiple)
    {
        using var team = new ThreadTeam(threads);
        int next = 0;
        for (int member = 0; member < threads; member++)
        {
            (int first, int size) = team.Part(member, count, multiple);
            Assert.Equal(next, first);
            Assert.True(size == 0 || first % multiple == 0);
            next += size;
        }

        Assert.Equal(count, next);
    }

    private sealed class Phases(int threads) : ITeamProgram
    {
        private readonly int[] _phase = new int[threads];
        private int _arrivals;

        public bool Early { get; private set; }

        public int Arrivals => _arrivals;

        public void Run(ThreadTeam team, int member)
        {
            Volatile.Write(ref _phase[member], 0);
            team.Barrier();
            for (int phase = 1; phase <= 20; phase++)
            {
                Volatile.Write(ref _phase[member], phase);
                Interlocked.Increment(ref _arrivals);
                team.Barrier();
                for (int other = 0; other < threads; other++)
                {
                    Early |= Volatile.Read(ref _phase[other]) < phase;
                }

                team.Barrier();
            }
        }
    }

    private sealed class Failing(int failing) : ITeamProgram
    {
        public void Run(ThreadTeam team, int member)
        {
            if (member == failing)
            {
                throw new InvalidOperationException($"member {member}");
            }

            team.Barrier();
        }
    }
}
