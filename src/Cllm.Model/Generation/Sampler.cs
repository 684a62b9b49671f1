using Cllm.Numerics.Kernels;
using Cllm.Numerics.Random;

namespace Cllm.Model.Generation;

/// <summary>Draws the next token from logits: temperature, then the k likeliest, then one draw that is a pure function of seed and index.</summary>
public sealed class Sampler
{
    private const uint Stream = 0x53414D50;

    /// <summary>Below it a quotient may exceed all floats; the likeliest token has all the probability long before.</summary>
    private const float TemperatureMin = 1e-20f;

    private readonly float _temperature;
    private readonly ulong _seed;
    private readonly ulong[] _ranks;
    private readonly float[] _probabilities;

    /// <summary>Prepares a sampler.</summary>
    /// <param name="vocabulary">V.</param>
    /// <param name="temperature">Divides the logits; 0 always takes the likeliest token.</param>
    /// <param name="topK">Draw among this many likeliest tokens only; 0 is all.</param>
    /// <param name="seed">Seed of the draws.</param>
    public Sampler(int vocabulary, double temperature, int topK, ulong seed)
    {
        _temperature = (float)temperature;
        _seed = seed;
        _ranks = new ulong[vocabulary];
        _probabilities = new float[topK <= 0 ? vocabulary : Math.Min(topK, vocabulary)];
    }

    /// <summary>The token drawn for place <paramref name="index"/> of the text. Equal logits rank by id.</summary>
    /// <param name="logits">(V).</param>
    /// <param name="index">Counts the draws of one text from 0.</param>
    public int Draw(ReadOnlySpan<float> logits, long index)
    {
        for (int id = 0; id < logits.Length; id++)
        {
            _ranks[id] = Rank(logits[id], id);
        }

        if (_temperature < TemperatureMin)
        {
            return Id(_ranks.Min());
        }

        // All tokens are drawn from in order of their ids; only a choice of the likeliest needs them sorted.
        if (_probabilities.Length < logits.Length)
        {
            Array.Sort(_ranks);
        }

        for (int i = 0; i < _probabilities.Length; i++)
        {
            _probabilities[i] = logits[Id(_ranks[i])] / _temperature;
        }

        Softmax.Forward(_probabilities, _probabilities);
        return Id(_ranks[Pick(_probabilities, Philox.Uniform(_seed, Stream, (ulong)index))]);
    }

    /// <summary>Sorts descending by logit, then ascending by id: the float's bits made monotonic in the high half, the id in the low.</summary>
    private static ulong Rank(float logit, int id)
    {
        uint bits = BitConverter.SingleToUInt32Bits(logit);
        uint ascending = (bits & 0x80000000) != 0 ? ~bits : bits | 0x80000000;
        return ((ulong)~ascending << 32) | (uint)id;
    }

    private static int Id(ulong rank) => (int)(uint)rank;

    private static int Pick(ReadOnlySpan<float> probabilities, double uniform)
    {
        double sum = 0;
        for (int i = 0; i < probabilities.Length; i++)
        {
            sum += probabilities[i];
            if (uniform < sum)
            {
                return i;
            }
        }

        return probabilities.Length - 1;
    }
}
