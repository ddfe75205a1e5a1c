using MoeWorkbook;
using static TorchSharp.torch;

var count = ParameterCount.Of(ModelCatalog.Find("mixtral-8x7b").Config);
Console.WriteLine($"{count.TotalParameters:N0}");

using var layer = new MoeLayer(new SoftmaxTopKRouter(hiddenSize: 64, expertCount: 8, expertsPerToken: 2),
    new ExpertWeights(expertCount: 8, hiddenSize: 64, intermediateSize: 128));
using var output = layer.forward(randn(1, 5, 64));
Console.WriteLine(string.Join(" × ", output.shape));

Console.WriteLine(Figures.TotalAgainstActive(ModelCatalog.All));
