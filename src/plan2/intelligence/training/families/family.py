"""What every model family can do: fit on rows of a data set, and speak about other rows."""

from typing import Protocol, runtime_checkable

from plan2.foundation.values import Float64Array, Int64Array
from plan2.intelligence.models.manifest import Parity
from plan2.intelligence.training.dataset import Dataset


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


class Family(Protocol):
    """A way to train."""

    name: str

    def fit(self, dataset: Dataset, rows: Int64Array, seed: int) -> FittedModel:
        """Train on these rows and on nothing that lies after the last of them."""
        ...

    def parameters(self) -> dict[str, float | int | str]:
        """The hyper-parameters, for the manifest."""
        ...
