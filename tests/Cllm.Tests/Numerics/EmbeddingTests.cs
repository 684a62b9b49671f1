using Cllm.Numerics.Kernels;
using Cllm.Numerics.Reference;
using FsCheck.Xunit;

namespace Cllm.Tests.Numerics;

public sealed class EmbeddingTests
{
    [Theory]
    [InlineData(24)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(1000)]
    public void Forward_and_backward_equal_their_twins(int width)
    {
        const int vocabulary = 77;
        const int block = 13;
        const int rows = 3;
        var tokens = Numbers.Integers(rows * block, 1, vocabulary);
        var (wte, wpe) = (Numbers.Floats(vocabulary * width, 2), Numbers.Floats(20 * width, 3));
        var dh = Numbers.Floats(rows * block * width, 4);
        var (h, dWte, dWpe) = (new float[block * width], Numbers.Floats(vocabulary * width, 5), new float[block * width]);
        var (exactH, exactDWte, exactDWpe) = (new double[block * width], Numbers.Doubles(dWte), new double[block * width]);

        Embedding.Forward(tokens.AsSpan(0, block), 5, width, wte, wpe, h);
        ReferenceEmbedding.Forward(tokens.AsSpan(0, block), 5, width, Numbers.Doubles(wte), Numbers.Doubles(wpe), exactH);
        Numbers.Close(exactH, h, 1e-7);
        Embedding.BackwardTokens(tokens, width, 0, width, dh, dWte);
        ReferenceEmbedding.BackwardTokens(tokens, width, Numbers.Doubles(dh), exactDWte);
        Numbers.Close(exactDWte, dWte, 1e-6);
        Embedding.BackwardPositions(rows, block, width, 0, block, dh, dWpe);
        ReferenceEmbedding.BackwardPositions(rows, block, width, Numbers.Doubles(dh), exactDWpe);
        Numbers.Close(exactDWpe, dWpe, 1e-6);
    }

    [Fact]
    public void The_twins_gradients_are_finite_differences()
    {
        var tokens = Numbers.Integers(6, 1, 5);
        var (wte, wpe) = (Numbers.Doubles(Numbers.Floats(5 * 4, 2)), Numbers.Doubles(Numbers.Floats(3 * 4, 3)));
        var dh = Numbers.Doubles(Numbers.Floats(6 * 4, 4));
        var (dWte, dWpe) = (new double[5 * 4], new double[3 * 4]);
        ReferenceEmbedding.BackwardTokens(tokens, 4, dh, dWte);
        ReferenceEmbedding.BackwardPositions(2, 3, 4, dh, dWpe);
        double Loss(double[] atTokens, double[] atPositions)
        {
            var h = new double[6 * 4];
            ReferenceEmbedding.Forward(tokens.AsSpan(0, 3), 0, 4, atTokens, atPositions, h);
            ReferenceEmbedding.Forward(tokens.AsSpan(3, 3), 0, 4, atTokens, atPositions, h.AsSpan(12));
            return Numbers.Dot(h, dh);
        }

        Numbers.IsGradient(at => Loss(at, wpe), wte, dWte);
        Numbers.IsGradient(at => Loss(wte, at), wpe, dWpe);
    }

    [Property(MaxTest = 60)]
    public void Any_split_of_columns_and_positions_gives_the_same_bits(byte widthByte, byte columnByte, byte positionByte)
    {
        var width = 1 + widthByte % 50;
        var (column, position) = (columnByte % (width + 1), positionByte % 14);
        var tokens = Numbers.Integers(39, 1, 7);
        var dh = Numbers.Floats(39 * width, 2);
        var (whole, parts) = (new float[7 * width], new float[7 * width]);
        Embedding.BackwardTokens(tokens, width, 0, width, dh, whole);
        Embedding.BackwardTokens(tokens, width, 0, column, dh, parts);
        Embedding.BackwardTokens(tokens, width, column, width - column, dh, parts);
        Assert.Equal(whole, parts);

        var (wholePositions, partsOfPositions) = (new float[13 * width], new float[13 * width]);
        Embedding.BackwardPositions(3, 13, width, 0, 13, dh, wholePositions);
        Embedding.BackwardPositions(3, 13, width, 0, position, dh, partsOfPositions);
        Embedding.BackwardPositions(3, 13, width, position, 13 - position, dh, partsOfPositions);
        Assert.Equal(wholePositions, partsOfPositions);
    }

    [Fact]
    public void A_token_outside_the_table_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Embedding.Forward([7], 0, 4, new float[28], new float[4], new float[4]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Embedding.BackwardTokens([-1], 4, 0, 4, new float[4], new float[28]));
    }
}
