using Cllm.Model.Run;
using Cllm.Model.Shape;

namespace Cllm.Model.Compute;

/// <summary>What a run computes, resolved once: configuration, parameter layout, leaves, and where its rows come from.</summary>
public sealed class RunPlan
{
    /// <summary>Rows per evaluation unit: the held-out rows a worker is leased at least.</summary>
    public const int EvaluationUnitRows = 4;

    /// <summary>Resolves a configuration.</summary>
    /// <param name="configuration">The run's configuration.</param>
    /// <param name="training">Fills T + 1 ids of a step's row.</param>
    /// <param name="heldOutRows">How many held-out rows an evaluation reads; 0 is none.</param>
    /// <param name="heldOut">Fills T + 1 ids of a held-out row.</param>
    public RunPlan(RunConfiguration configuration, ReadTrainingRow training, int heldOutRows, ReadHeldOutRow heldOut)
    {
        Configuration = configuration;
        Layout = new ParameterLayout(configuration.Shape);
        Tensors = new GptTensors(Layout);
        Leaves = new LeafPlan(configuration.Batch, configuration.Leaves);
        ReadTrainingRow = training;
        ReadHeldOutRow = heldOut;
        HeldOutRows = heldOutRows;
    }

    /// <summary>The run's configuration.</summary>
    public RunConfiguration Configuration { get; }

    /// <summary>Layout of weights, gradients and moments.</summary>
    public ParameterLayout Layout { get; }

    /// <summary>The layout's tensors by role.</summary>
    public GptTensors Tensors { get; }

    /// <summary>Which rows each leaf covers.</summary>
    public LeafPlan Leaves { get; }

    /// <summary>Source of the rows of a step.</summary>
    public ReadTrainingRow ReadTrainingRow { get; }

    /// <summary>Source of held-out rows.</summary>
    public ReadHeldOutRow ReadHeldOutRow { get; }

    /// <summary>Rows an evaluation reads.</summary>
    public int HeldOutRows { get; }

    /// <summary>Units in which an evaluation is handed to workers.</summary>
    public int EvaluationUnits => (HeldOutRows + EvaluationUnitRows - 1) / EvaluationUnitRows;

    /// <summary>Tokens of the global batch, B * T.</summary>
    public int BatchTokens => Configuration.Batch * Configuration.Shape.Block;
}

/// <summary>Fills the T + 1 ids of one row of a step; a pure function that any thread may call.</summary>
public delegate void ReadTrainingRow(long step, int row, Span<int> tokens);

/// <summary>Fills the T + 1 ids of one held-out row; a pure function that any thread may call.</summary>
public delegate void ReadHeldOutRow(int row, Span<int> tokens);
