"""A network as named arrays: started by numpy, trained by torch, applied by numpy without torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from scipy.special import ndtr

from alignkit.shapes import SourceVectors, TargetVectors, Vectors

Activation: TypeAlias = Literal["gelu", "relu", "tanh"]
Arrays: TypeAlias = dict[str, np.ndarray]
Tensor: TypeAlias = Any  # torch is imported where it is used, and may be absent
Tensors: TypeAlias = dict[str, Tensor]

SKIP, TARGET = "skip", "target"  # matrices beside the layers, of either side
AHEAD, BACK = "ahead", "back"  # matrices to the target's frame: of source rows, of what the layers add
FIXED = (SKIP, TARGET, AHEAD, BACK)  # none of them is trained
NORM_EPS = 1e-5  # torch's own, inside a layer norm
ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "gelu": lambda V: V * ndtr(V),
    "relu": lambda V: np.maximum(V, 0),
    "tanh": np.tanh,
}


@dataclass(frozen=True, slots=True)
class Network:
    """Linear layers of these ``widths`` with {layer norm, activation, dropout} between them.

    Where the arrays hold a matrix called ``skip``, rows times that matrix are added to the answer; with
    ``after_skip`` these are also what the layers read, in place of the rows. What they read is multiplied by
    ``gain``. At last every coordinate is cut at plus and minus ``clamp``.
    """

    widths: tuple[int, ...]
    activation: Activation = "gelu"
    layer_norm: bool = False
    dropout: float = 0.0
    clamp: float | None = None
    gain: float = 1.0
    after_skip: bool = False

    @property
    def layers(self) -> int:
        """How many linear layers there are."""
        return len(self.widths) - 1

    def start(self, rng: np.random.Generator) -> Arrays:
        """Return weights and biases uniform within one over the root of a layer's inputs, as torch starts."""
        arrays: Arrays = {}
        for layer in range(self.layers):
            inputs, outputs = self.widths[layer : layer + 2]
            bound = inputs**-0.5
            arrays[f"weight{layer}"] = rng.uniform(-bound, bound, (inputs, outputs)).astype(np.float32)
            arrays[f"bias{layer}"] = rng.uniform(-bound, bound, outputs).astype(np.float32)
            if self.layer_norm and layer < self.layers - 1:
                arrays[f"scale{layer}"] = np.ones(outputs, np.float32)
                arrays[f"shift{layer}"] = np.zeros(outputs, np.float32)
        return arrays

    def hidden(self, arrays: Arrays, V: SourceVectors) -> Vectors:
        """Return what enters the last layer, in the float type of ``V``."""
        V = V @ _as(arrays[SKIP], V) if self.after_skip else V
        V = V if self.gain == 1 else V * V.dtype.type(self.gain)
        for layer in range(self.layers - 1):
            V = V @ _as(arrays[f"weight{layer}"], V) + _as(arrays[f"bias{layer}"], V)
            if self.layer_norm:
                V = V - V.mean(axis=1, keepdims=True)
                V = V / np.sqrt(np.square(V).mean(axis=1, keepdims=True) + V.dtype.type(NORM_EPS))
                V = V * _as(arrays[f"scale{layer}"], V) + _as(arrays[f"shift{layer}"], V)
            V = ACTIVATIONS[self.activation](V)
        return V

    def added(self, arrays: Arrays, V: SourceVectors) -> TargetVectors:
        """Return what the layers alone answer, in the float type of ``V``."""
        last = self.layers - 1
        return self.hidden(arrays, V) @ _as(arrays[f"weight{last}"], V) + _as(arrays[f"bias{last}"], V)

    def apply(self, arrays: Arrays, V: SourceVectors) -> TargetVectors:
        """Return the answers to rows, by numpy, in the float type of ``V``."""
        out = self.added(arrays, V)
        if SKIP in arrays:
            out = out + V @ _as(arrays[SKIP], V)
        return out if self.clamp is None else np.clip(out, -self.clamp, self.clamp)

    def forward(self, torch: Any, tensors: Tensors, V: Tensor, generator: Any = None) -> Tensor:
        """Return the answers to rows, by torch; with a generator, dropout draws from it."""
        functional, beside = torch.nn.functional, V @ tensors[SKIP] if SKIP in tensors else None
        out = self.gain * (V if beside is None or not self.after_skip else beside)
        for layer in range(self.layers):
            out = torch.addmm(tensors[f"bias{layer}"], out, tensors[f"weight{layer}"])
            if layer == self.layers - 1:
                break
            if self.layer_norm:
                scale, shift = tensors[f"scale{layer}"], tensors[f"shift{layer}"]
                out = functional.layer_norm(out, out.shape[1:], scale, shift, NORM_EPS)
            out = getattr(functional, self.activation, torch.tanh)(out)
            if self.dropout and generator is not None:
                kept = torch.rand(out.shape, generator=generator, device=out.device) >= self.dropout
                out = out * kept / (1 - self.dropout)
        out = out if beside is None else out + beside
        return out if self.clamp is None else torch.clamp(out, -self.clamp, self.clamp)


def _as(array: np.ndarray, V: np.ndarray) -> np.ndarray:
    return array.astype(V.dtype, copy=False)
