namespace MoeWorkbook;

/// <summary>The parts of a model that its parameters are counted by.</summary>
public enum ModelComponent
{
    /// <summary>The token embedding; where it is tied, the head as well.</summary>
    Embeddings,

    /// <summary>Attention of every kind: projections, biases, sinks, the convolution and decay of linear attention, T5's relative position bias.</summary>
    Attention,

    /// <summary>The routers: one row of weights an expert, their bias, and the selection bias.</summary>
    Router,

    /// <summary>The experts that a router chooses from.</summary>
    RoutedExperts,

    /// <summary>The experts that every token visits, and their gate.</summary>
    SharedExperts,

    /// <summary>The dense feed-forward blocks.</summary>
    DenseFeedForward,

    /// <summary>Every norm's weight and bias, those on queries, keys and latent vectors included.</summary>
    Norms,

    /// <summary>The language-model head, where it is a matrix of its own.</summary>
    Head,
}
