"""The LSTM family (needs torch): one step per bar, state carried from bar to bar.

Training walks the bars as serving does: the state starts at zero after a gap and is carried through
truncated backpropagation. Losses are taken at the bars whose close is an event. Scaling is fitted
on the training bars and frozen into the network; an undefined channel becomes 0 and sets its mask.
"""

from typing import ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from plan2.foundation.values import Float32Array, Float64Array, Int64Array
from plan2.intelligence.models.manifest import Parity
from plan2.intelligence.models.session import RecurrentModel, open_session
from plan2.intelligence.training import parity
from plan2.intelligence.training.dataset import Dataset, SymbolSamples
from plan2.intelligence.training.families.family import Family, Parameters, Range, Space
from plan2.intelligence.training.families.recurrent_graph import step_graph
from plan2.intelligence.training.families.scaling import channel_scaler
from plan2.intelligence.training.families.torch_setup import seeded

HIDDEN = 32
CLIP = 5.0
CHUNK_BARS = 960
SEGMENT_BARS = 120
GRADIENT_NORM_MAX = 1.0


class Network(nn.Module):
    """Scaler with mask → LSTM → one logit per bar."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, mean: Float32Array, scale: Float32Array) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(mean))
        self.register_buffer("scale", torch.from_numpy(scale))
        self.lstm = nn.LSTM(2 * len(mean), HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, 1)

    def forward(
        self, sequence: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Logits [batch, bars] and the state after the last bar, for [batch, bars, channels]."""
        is_missing = torch.isnan(sequence)
        scaled = ((sequence - self.mean) * self.scale).clamp(-CLIP, CLIP)
        known = torch.where(is_missing, 0.0, scaled)
        hidden, state = self.lstm(torch.cat([known, is_missing.to(known.dtype)], -1), state)
        return self.head(hidden)[..., 0], state


class FittedRecurrent:
    """A trained network and its mean training loss after each epoch, in nats."""

    def __init__(self, network: Network, losses: tuple[float, ...]) -> None:
        self.network = network
        self.losses = losses

    def logits(self, dataset: Dataset, rows: Int64Array) -> Float64Array:
        """Raw log-odds of up, float64[len(rows)], each after walking its series up to that bar."""
        result = np.empty(len(rows))
        for code, samples in enumerate(dataset.series):
            mine = np.flatnonzero(dataset.symbol[rows] == code)
            if len(mine) == 0:
                continue
            bars = samples.event_bar[dataset.event[rows[mine]]]
            result[mine] = self._walk(samples, int(bars.max()) + 1)[bars]
        return result

    def _walk(self, samples: SymbolSamples, stop: int) -> Float64Array:
        """Logits of the first `stop` bars, all stretches between gaps side by side."""
        starts, lengths = _stretches(samples.is_reset[:stop])
        batch = np.zeros((len(starts), int(lengths.max()), samples.sequence.shape[1]), np.float32)
        for k, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            batch[k, :length] = samples.sequence[start : start + length]
        with torch.no_grad():
            logits, _ = self.network(torch.from_numpy(batch), _zero_state(len(batch)))
        padded = logits.numpy().astype(np.float64)
        return np.concatenate([padded[k, :length] for k, length in enumerate(lengths)])

    def to_onnx(self) -> bytes:
        """One step with state in and out, as one self-contained file."""
        return step_graph(self.network)

    def parity(self, content: bytes, dataset: Dataset, seed: int) -> Parity:
        """Hold single steps of the served graph against the network, from random states."""
        rng = np.random.default_rng(seed)
        served = RecurrentModel(open_session(content))
        mean, scale = (np.asarray(values, np.float32) for values in self.scaler().values())
        edges = [np.array([m - CLIP / s, m + CLIP / s]) for m, s in zip(mean, scale, strict=True)]
        sample = np.concatenate([samples.sequence for samples in dataset.series])
        bars = parity.hard_rows(sample, edges, rng)
        hidden = np.tanh(rng.normal(size=(len(bars), HIDDEN))).astype(np.float32)
        cell = rng.normal(size=(len(bars), HIDDEN)).astype(np.float32)
        state = (torch.from_numpy(hidden)[None], torch.from_numpy(cell)[None])
        with torch.no_grad():
            logits, _ = self.network(torch.from_numpy(bars)[:, None], state)
        expected = torch.sigmoid(logits[:, 0].double()).numpy()
        rows = np.concatenate([hidden, cell, bars], axis=1)
        return parity.check(rows, lambda row: served.replay(row.tobytes()), expected)

    def scaler(self) -> dict[str, tuple[float, ...]]:
        """The constants frozen into the graph: (x − mean) · scale."""
        buffers = dict(self.network.named_buffers())
        return {name: tuple(buffers[name].tolist()) for name in ("mean", "scale")}


class Recurrent(Family):
    """The LSTM family. Short histories are walked more often, at least `updates_min` updates."""

    name = "lstm"
    defaults: ClassVar[Parameters] = {
        "hidden": HIDDEN,
        "epochs": 2,
        "updates_min": 60,
        "segment_bars": SEGMENT_BARS,
        "chunk_bars": CHUNK_BARS,
        "chunks_per_batch": 16,
        "learning_rate": 3e-3,
        "weight_decay": 1e-3,
        "threads": 1,
        "device": "cpu",
    }
    space: ClassVar[Space] = {
        "epochs": Range(1, 6),
        "learning_rate": Range(5e-4, 1e-2, is_log=True),
        "weight_decay": Range(1e-4, 1e-1, is_log=True),
    }

    def fit(self, dataset: Dataset, rows: Int64Array, seed: int) -> FittedRecurrent:
        """Train on the bars up to the last of these rows, with losses at these rows only."""
        parameters = self.parameters()
        rate, decay = float(parameters["learning_rate"]), float(parameters["weight_decay"])
        torch.set_num_threads(1)
        chunks = _Chunks(dataset, rows, int(parameters["chunks_per_batch"]))
        with seeded(seed):
            network = Network(*channel_scaler(chunks.sequence[~chunks.is_padding]))
        network.to(str(parameters["device"]))
        optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)
        updates = chunks.batch_count() * (CHUNK_BARS // SEGMENT_BARS)
        epochs = max(int(parameters["epochs"]), -(-int(parameters["updates_min"]) // updates))
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, rate, total_steps=epochs * chunks.batch_count()
        )
        rng = np.random.default_rng(seed)
        losses = []
        for _ in range(epochs):
            total = 0.0
            for batch in chunks.batches(rng):
                total += _train_batch(network, optimiser, chunks, batch)
                schedule.step()
            losses.append(total / float(chunks.weight.sum()))
        return FittedRecurrent(network.cpu().eval(), tuple(losses))


class _Chunks:
    """The training bars cut into equal pieces that never cross a gap, padded at the end.

    sequence: float32[k, CHUNK_BARS, channels]; up and weight: float32[k, CHUNK_BARS], the weight 0
    where no event is; is_padding: bool[k, CHUNK_BARS].
    """

    def __init__(self, dataset: Dataset, rows: Int64Array, per_batch: int) -> None:
        self._per_batch = per_batch
        end_ns = int(dataset.labels["t0"][rows].max())
        pieces = []
        for code, samples in enumerate(dataset.series):
            stop = int(np.searchsorted(samples.bar_ts, end_ns, side="right"))
            mine = rows[dataset.symbol[rows] == code]
            target = np.zeros((stop, 2), np.float32)
            bars = samples.event_bar[dataset.event[mine]]
            target[bars, 0], target[bars, 1] = dataset.up[mine], dataset.weight[mine]
            pieces.append(_cut(samples.sequence[:stop], target, samples.is_reset[:stop]))
        self.sequence = np.concatenate([piece[0] for piece in pieces])
        target = np.concatenate([piece[1] for piece in pieces])
        self.is_padding = np.concatenate([piece[2] for piece in pieces])
        self.up, self.weight = target[..., 0], target[..., 1]
        segments = len(self.up) * CHUNK_BARS / SEGMENT_BARS / per_batch
        self.weight_per_update = float(self.weight.sum()) / segments

    def batch_count(self) -> int:
        return -(-len(self.up) // self._per_batch)

    def batches(self, rng: np.random.Generator) -> list[Int64Array]:
        order = rng.permutation(len(self.up))
        return list(np.array_split(order, self.batch_count()))


def _train_batch(
    network: Network, optimiser: torch.optim.Optimizer, chunks: _Chunks, batch: Int64Array
) -> float:
    """Walk the chunks side by side, updating after every segment and carrying the state.

    Returns the weighted sum of the losses.
    """
    total = 0.0
    device = network.mean.device
    parts = (chunks.sequence, chunks.up, chunks.weight)
    sequence, up, weight = (torch.from_numpy(part[batch]).to(device) for part in parts)
    state = _zero_state(len(batch), device)
    for start in range(0, CHUNK_BARS, SEGMENT_BARS):
        part = slice(start, start + SEGMENT_BARS)
        logits, state = network(sequence[:, part], state)
        state = (state[0].detach(), state[1].detach())
        losses = functional.binary_cross_entropy_with_logits(
            logits, up[:, part], weight[:, part], reduction="sum"
        )
        total += float(losses.detach())
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(losses / chunks.weight_per_update)
        nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM_MAX)
        optimiser.step()
    return total


def _cut(
    sequence: Float32Array, target: Float32Array, is_reset: np.ndarray
) -> tuple[Float32Array, Float32Array, np.ndarray]:
    starts, lengths = _stretches(is_reset)
    pieces = [
        (first, min(CHUNK_BARS, int(start + length - first)))
        for start, length in zip(starts, lengths, strict=True)
        for first in range(int(start), int(start + length), CHUNK_BARS)
    ]
    bars = np.zeros((len(pieces), CHUNK_BARS, sequence.shape[1]), np.float32)
    targets = np.zeros((len(pieces), CHUNK_BARS, 2), np.float32)
    is_padding = np.ones((len(pieces), CHUNK_BARS), np.bool_)
    for k, (first, length) in enumerate(pieces):
        bars[k, :length] = sequence[first : first + length]
        targets[k, :length] = target[first : first + length]
        is_padding[k, :length] = False
    return bars, targets, is_padding


def _stretches(is_reset: np.ndarray) -> tuple[Int64Array, Int64Array]:
    """Starts and lengths of the stretches between resets; the first bar always starts one."""
    marks = is_reset.copy()
    marks[:1] = True
    starts = np.flatnonzero(marks)
    return starts, np.diff(np.append(starts, len(marks)))


def _zero_state(
    batch: int, device: torch.device | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    zeros = torch.zeros(1, batch, HIDDEN, device=device)
    return zeros, zeros.clone()
