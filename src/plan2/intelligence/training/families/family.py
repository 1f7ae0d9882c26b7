"""What every model family can do: fit on rows of a data set, and speak about other rows."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol, Self, runtime_checkable

import numpy as np

from plan2.foundation.errors import InputError
from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.models.manifest import Parity
from plan2.intelligence.training.dataset import Dataset

Value = float | int | str
Parameters = Mapping[str, Value]

PROBABILITY_EDGE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Range:
    """Where a search may look for a number: `low` to `high`; whole numbers when both are `int`.

    `is_log`: small values are as interesting as large ones.
    """

    low: float
    high: float
    is_log: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether only whole numbers are asked for."""
        return isinstance(self.low, int) and isinstance(self.high, int)


Space = Mapping[str, Range]


class FittedModel(Protocol):
    """A model after training."""

    def logits(self, dataset: Dataset, rows: Int64Array) -> Float64Array:
        """Raw log-odds of up for these rows, float64[len(rows)]."""
        ...

    def to_onnx(self) -> bytes:
        """The model as one self-contained ONNX file."""
        ...

    def parity(self, content: bytes, dataset: Dataset, seed: int) -> Parity:
        """Hold an exported file, as it will be served, against the model as trained."""
        ...

    def scaler(self) -> dict[str, tuple[float, ...]]:
        """Constants frozen into the graph, for the manifest; empty when there are none."""
        ...


@runtime_checkable
class Learned(Protocol):
    """A model that learned in epochs and kept its mean training loss after each, in nats."""

    losses: tuple[float, ...]


class Family(ABC):
    """A way to train, with its hyper-parameters.

    Attributes:
        name: as in settings and manifests. defaults: every hyper-parameter. space: those that a
            search may change, and between which values. tried: how many variants were tried before
            this one was chosen, itself included.
    """

    name: ClassVar[str]
    defaults: ClassVar[Parameters]
    space: ClassVar[Space]

    def __init__(self, changes: Parameters | None = None, tried: int = 1) -> None:
        """Take the defaults, with these changes.

        Raises:
            InputError: the family has no such hyper-parameter.
        """
        unknown = sorted(set(changes or {}) - set(self.defaults))
        if unknown:
            raise InputError(
                f"{self.name} has no hyper-parameter {unknown[0]!r}; it has "
                f"{', '.join(sorted(self.defaults))}."
            )
        self._parameters: dict[str, Value] = {**self.defaults, **(changes or {})}
        self.tried = tried

    @abstractmethod
    def fit(self, dataset: Dataset, rows: Int64Array, seed: int) -> FittedModel:
        """Train on these rows and on nothing that lies after the last of them."""

    def parameters(self) -> dict[str, Value]:
        """The hyper-parameters, for the manifest."""
        return dict(self._parameters)

    def tuned(self, changes: Parameters, tried: int = 1) -> Self:
        """The same family with other values for some hyper-parameters."""
        return type(self)({**self._parameters, **changes}, tried)


def log_odds(probabilities: Float64Array) -> Float64Array:
    """Natural log-odds of float64[n], kept 1e-6 away from certainty."""
    p = np.clip(probabilities, PROBABILITY_EDGE, 1.0 - PROBABILITY_EDGE)
    odds: Float64Array = np.log(p / (1.0 - p))
    return odds
