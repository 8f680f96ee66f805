"""A small network that learns to tell mapped source rows from target rows, its gradients written out."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

Tensor: TypeAlias = Any  # torch is imported where it is used, and may be absent


@dataclass(frozen=True, slots=True)
class Shape:
    """How the network is built and how fast it learns."""

    hidden: int
    layers: int
    leak: float
    input_dropout: float
    hidden_dropout: float
    rate: float


class Discriminator:
    """Answer for every row the probability that it is a mapped source row.

    Dropout on the input, then ``layers`` times {linear, leaky ReLU, dropout}, one linear output, sigmoid;
    weights and biases start uniform within one over the root of a layer's inputs. The loss is the mean
    binary cross-entropy, whose slope at the output is the probability less the label: written out like
    the rest, the gradients cost half of what recording the steps for automatic ones does.
    """

    def __init__(self, torch: Any, width: int, shape: Shape, generator: Any, device: str) -> None:
        self.torch, self.shape, self.generator = torch, shape, generator
        sizes = [width, *[shape.hidden] * shape.layers, 1]
        self.weights, self.biases = [], []
        for inputs, outputs in pairwise(sizes):
            drawn = torch.rand((inputs + 1, outputs), generator=generator, device=device)
            drawn = (2 * drawn - 1) / inputs**0.5
            self.weights.append(drawn[:-1].clone())
            self.biases.append(drawn[-1].clone())

    def learn(self, rows: Tensor, labels: Tensor) -> None:
        """Take one step down the loss of these rows."""
        inputs, outputs, masks = self._forward(rows, drop=True)
        slope = (self.torch.sigmoid(outputs[-1]) - labels) / len(rows)
        for layer in reversed(range(len(self.weights))):
            of_weight, of_bias = inputs[layer].T @ slope, slope.sum(dim=0)
            if layer:
                slope = self._back(slope, layer, outputs[layer - 1], masks[layer])
            self.weights[layer].sub_(of_weight, alpha=self.shape.rate)
            self.biases[layer].sub_(of_bias, alpha=self.shape.rate)

    def slope(self, rows: Tensor, label: float) -> Tensor:
        """Return how the summed loss of rows with one label changes with every number; nothing is dropped."""
        _, outputs, _ = self._forward(rows, drop=False)
        slope = self.torch.sigmoid(outputs[-1]) - label
        for layer in reversed(range(1, len(self.weights))):
            slope = self._back(slope, layer, outputs[layer - 1], None)
        return slope @ self.weights[0].T

    def probability(self, rows: Tensor) -> Tensor:
        """Return for every row the probability that it is a mapped source row."""
        return self.torch.sigmoid(self._forward(rows, drop=False)[1][-1])[:, 0]

    def _forward(self, rows: Tensor, *, drop: bool) -> tuple[list[Tensor], list[Tensor], list[Tensor | None]]:
        """Return what enters every layer, what leaves it before the leak, and what dropout multiplied."""
        inputs, outputs, masks = [], [], []
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            mask = self._mask(rows, layer) if drop else None
            inputs.append(rows if mask is None else rows * mask)
            masks.append(mask)
            outputs.append(self.torch.addmm(bias, inputs[-1], weight))
            rows = self.torch.nn.functional.leaky_relu(outputs[-1], self.shape.leak)
        return inputs, outputs, masks

    def _mask(self, rows: Tensor, layer: int) -> Tensor | None:
        share = self.shape.hidden_dropout if layer else self.shape.input_dropout
        if not share:
            return None
        kept = self.torch.empty_like(rows).bernoulli_(1 - share, generator=self.generator)
        return kept.div_(1 - share)

    def _back(self, slope: Tensor, layer: int, output: Tensor, mask: Tensor | None) -> Tensor:
        """Return the slope at the output of the layer before ``layer``."""
        slope = slope @ self.weights[layer].T
        if mask is not None:
            slope = slope * mask
        return self.torch.where(output > 0, slope, slope * self.shape.leak)
