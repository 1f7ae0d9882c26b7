"""The families over a window of bars (need torch): CNN and transformer, trained the same way.

How long to train is found on the newest, purged part of the training rows; then all rows are
trained on for that long, so that the newest are not lost.
"""

from abc import abstractmethod
from typing import ClassVar, Final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from plan2.foundation.values import Float32Array, Float64Array, Int64Array
from plan2.intelligence.models.manifest import Parity
from plan2.intelligence.models.session import open_session
from plan2.intelligence.models.window import WindowModel
from plan2.intelligence.training import parity
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.families.family import Family, Parameters, Range, Space
from plan2.intelligence.training.families.inner import inner_split
from plan2.intelligence.training.families.networks import (
    BARS,
    CLIP,
    Attention,
    Convolutions,
    Scaled,
)
from plan2.intelligence.training.families.scaling import channel_scaler, clip_edges
from plan2.intelligence.training.families.tabular import normalised
from plan2.intelligence.training.families.torch_graph import exported
from plan2.intelligence.training.families.torch_setup import seeded
from plan2.intelligence.training.families.windows import Windows

WINDOW, PROBABILITY = "plan2_window", "plan2_probability"
UPDATES_BETWEEN_LOOKS = 25
GRADIENT_NORM_MAX = 1.0
ROWS_AT_ONCE = 512


class _Speaking(nn.Module):
    """The net as it is served: a probability instead of a logit."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, window: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.network(window))


class FittedWindowed:
    """A trained net over windows; `losses` are its training losses between looks, in nats."""

    def __init__(self, network: nn.Module, losses: tuple[float, ...]) -> None:
        self.network = network
        self.losses = losses

    def logits(self, dataset: Dataset, rows: Int64Array) -> Float64Array:
        """Raw log-odds of up, float64[len(rows)]."""
        windows = Windows(dataset, BARS)
        parts = [
            self._logits(windows.of(part))
            for part in np.array_split(rows, -(-len(rows) // ROWS_AT_ONCE) or 1)
        ]
        return np.concatenate(parts)

    def _logits(self, windows: Float32Array) -> Float64Array:
        with torch.no_grad():
            logits = self.network(torch.from_numpy(windows))
        values: Float64Array = logits[:, 0].numpy().astype(np.float64)
        return values

    def to_onnx(self) -> bytes:
        """One window in, one probability out, as one self-contained file."""
        channels = len(self.scaler()["mean"])
        example = (torch.zeros(1, BARS, channels),)
        return exported(_Speaking(self.network), example, [WINDOW], [PROBABILITY])

    def parity(self, content: bytes, dataset: Dataset, seed: int) -> Parity:
        """Hold the served graph against the net on windows of hard bars, short ones included."""
        rng = np.random.default_rng(seed)
        served = WindowModel(open_session(content))
        mean, scale = (np.asarray(values, np.float32) for values in self.scaler().values())
        sample = np.concatenate([samples.sequence for samples in dataset.series])
        bars = parity.hard_rows(sample, clip_edges(mean, scale, CLIP), rng)
        windows = bars[rng.integers(0, len(bars), (len(bars), BARS))]
        unknown = rng.integers(-2 * BARS, BARS, len(windows))
        windows[np.arange(BARS) < unknown[:, None]] = np.nan
        windows[-4:] = bars[-4:, None]  # the extremes, in every bar of a window
        pieces = np.array_split(windows, len(windows) // ROWS_AT_ONCE)
        logits = np.concatenate([self._logits(piece) for piece in pieces])
        expected = 1.0 / (1.0 + np.exp(-logits))
        return parity.check(windows, lambda window: served.replay(window.tobytes()), expected)

    def scaler(self) -> dict[str, tuple[float, ...]]:
        """The constants frozen into the graph: (x − mean) · scale."""
        buffers = {name.rpartition(".")[2]: b for name, b in self.network.named_buffers()}
        return {name: tuple(buffers[name].tolist()) for name in ("mean", "scale")}


class Windowed(Family):
    """What both have in common: how they are trained."""

    @abstractmethod
    def network(self, scaled: Scaled) -> nn.Module:
        """The net before training; its weights come from torch's current seed."""

    def fit(self, dataset: Dataset, rows: Int64Array, seed: int) -> FittedWindowed:
        """Train on these rows, weighted by uniqueness and age."""
        torch.set_num_threads(1)
        windows = Windows(dataset, BARS)
        looks = self._looks(len(rows))
        split = inner_split(dataset, rows)
        if split is not None:
            looks = self._best_looks(dataset, windows, split.train, split.test, seed, looks)
        run = _Run(self, dataset, windows, rows, seed)
        losses = tuple(run.train() for _ in range(looks))
        return FittedWindowed(run.network.cpu().eval(), losses)

    def _looks(self, count: int) -> int:
        """The most looks: enough updates, and two walks over a long history."""
        parameters = self.parameters()
        updates = max(int(parameters["updates_max"]), 2 * count // int(parameters["batch"]))
        return -(-updates // UPDATES_BETWEEN_LOOKS)

    def _best_looks(
        self,
        dataset: Dataset,
        windows: Windows,
        fitted: Int64Array,
        watched: Int64Array,
        seed: int,
        most: int,
    ) -> int:
        run = _Run(self, dataset, windows, fitted, seed)
        best, best_loss = 1, np.inf
        for look in range(1, most + 1):
            run.train()
            loss = run.loss(watched)
            if loss < best_loss:
                best, best_loss = look, loss
            elif look - best >= int(self.parameters()["patience"]):
                break
        return best


class _Run:
    """One training of one net on fixed rows."""

    def __init__(
        self, family: Windowed, dataset: Dataset, windows: Windows, rows: Int64Array, seed: int
    ) -> None:
        parameters = family.parameters()
        self._seed = seed
        self._rng = np.random.default_rng(seed)
        self._dataset, self._windows, self._rows = dataset, windows, rows
        self._weight = np.zeros(len(dataset), np.float32)
        self._weight[rows] = normalised(dataset.weight[rows])
        self._batch = int(parameters["batch"])
        self._device = str(parameters["device"])
        self._left = np.empty(0, np.int64)
        self._looks = 0
        with seeded(seed):
            self.network = family.network(Scaled(*channel_scaler(windows.bars_of(rows))))
        self.network.to(self._device)
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(),
            lr=float(parameters["learning_rate"]),
            weight_decay=float(parameters["weight_decay"]),
        )

    def train(self) -> float:
        """A stretch of updates, until the next look; returns their mean weighted loss."""
        self.network.train()
        self._looks += 1
        with seeded(self._seed + self._looks):
            losses = [self._update(self._next_rows()) for _ in range(UPDATES_BETWEEN_LOOKS)]
        return float(np.mean(losses))

    def loss(self, rows: Int64Array) -> float:
        """Weighted log loss of rows that are not trained on."""
        self.network.eval()
        weight = self._dataset.weight[rows]
        with torch.no_grad():
            losses = [
                self._losses(part).cpu().numpy()
                for part in np.array_split(rows, -(-len(rows) // ROWS_AT_ONCE))
            ]
        return float(np.concatenate(losses) @ weight / weight.sum())

    def _update(self, rows: Int64Array) -> float:
        weight = torch.from_numpy(self._weight[rows]).to(self._device)
        self._optimiser.zero_grad(set_to_none=True)
        loss = (self._losses(rows) * weight).mean()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_NORM_MAX)
        self._optimiser.step()
        return float(loss.item())

    def _losses(self, rows: Int64Array) -> torch.Tensor:
        windows = torch.from_numpy(self._windows.of(rows)).to(self._device)
        up = torch.from_numpy(self._dataset.up[rows].astype(np.float32)).to(self._device)
        logits = self.network(windows)[:, 0]
        return functional.binary_cross_entropy_with_logits(logits, up, reduction="none")

    def _next_rows(self) -> Int64Array:
        """The next batch of a shuffled walk over the rows; a new walk when it is over."""
        if len(self._left) == 0:
            self._left = self._rng.permutation(self._rows)
        taken, self._left = self._left[: self._batch], self._left[self._batch :]
        return taken


TRAINING: Final[Parameters] = {
    "batch": 64,
    "updates_max": 250,
    "patience": 4,
    "learning_rate": 1e-3,
    "weight_decay": 1e-2,
    "dropout": 0.1,
    "bars": BARS,
    "threads": 1,
    "device": "cpu",
}
SPACE: Final[Space] = {
    "learning_rate": Range(2e-4, 5e-3, is_log=True),
    "weight_decay": Range(1e-4, 1e-1, is_log=True),
    "dropout": Range(0.0, 0.4),
}


class Cnn(Windowed):
    """Three dilated convolutions."""

    name = "cnn"
    defaults: ClassVar[Parameters] = {**TRAINING, "width": 32}
    space: ClassVar[Space] = SPACE

    def network(self, scaled: Scaled) -> nn.Module:
        """The net before training."""
        parameters = self.parameters()
        return Convolutions(scaled, int(parameters["width"]), float(parameters["dropout"]))


class Transformer(Windowed):
    """Two layers of attention over the bars."""

    name = "transformer"
    defaults: ClassVar[Parameters] = {**TRAINING, "width": 32, "heads": 4, "layers": 2}
    space: ClassVar[Space] = SPACE

    def network(self, scaled: Scaled) -> nn.Module:
        """The net before training."""
        parameters = self.parameters()
        return Attention(
            scaled,
            int(parameters["width"]),
            int(parameters["heads"]),
            int(parameters["layers"]),
            float(parameters["dropout"]),
        )
