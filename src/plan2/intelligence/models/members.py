"""Models ready to serve: loaded from verified bytes, warmed up, one member per symbol."""

import contextlib
import sys
from typing import Final, Protocol

import numpy as np

from plan2.foundation.errors import ModelMismatch
from plan2.foundation.values import Float64Array
from plan2.intelligence.models import cell, trees
from plan2.intelligence.models.cell import CompiledCell
from plan2.intelligence.models.manifest import Manifest
from plan2.intelligence.models.session import RecurrentModel, RowModel, open_session, verify
from plan2.intelligence.models.trees import CompiledTrees
from plan2.intelligence.models.window import WindowModel

IS_LITTLE_ENDIAN: Final = sys.byteorder == "little"


class Reading(Protocol):
    """What a forecast is made from; `features.engine.FeatureEngine` is one."""

    @property
    def values(self) -> Float64Array:
        """float64[F], the features after the last tick."""
        ...

    @property
    def sequence(self) -> Float64Array:
        """float64[16], channels of the bar in progress."""
        ...

    @property
    def sequence_closed(self) -> Float64Array:
        """float64[16], channels of the bar closed last."""
        ...

    @property
    def closed_ns(self) -> int:
        """End of the bar closed last, UTC ns."""
        ...

    @property
    def sigma(self) -> float:
        """Standard deviation of one bar's change, quote currency; NaN = not known yet."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the warm-up is over."""
        ...

    @property
    def gap_reset(self) -> bool:
        """Whether the last tick came after a gap."""
        ...


class Member(Protocol):
    """One model's voice for one symbol.

    Attributes:
        manifest: the model's card. is_kept: it speaks when a bar closes and repeats itself until
            the next one does.
    """

    manifest: Manifest
    is_kept: bool

    def probability(self, reading: Reading) -> float:
        """The raw probability of up at this tick."""
        ...

    def commit(self, sequence_closed: Float64Array, sequence: Float64Array) -> None:
        """A bar closed: move on; `sequence` is the next bar after its first tick."""
        ...

    def reset(self) -> None:
        """Forget everything, as after a gap."""
        ...

    def memory(self) -> bytes:
        """What the last probability started from besides the features; empty without state."""
        ...

    def replay(self, values: Float64Array, memory: bytes) -> float:
        """The raw probability of a recorded tick; the live state stays as it is."""
        ...

    def state_bytes(self) -> bytes:
        """The committed state; empty without state."""
        ...

    def set_state(self, state: bytes) -> None:
        """Continue from a committed state."""
        ...


class RowMember:
    """A voice without memory, of trees or a line; all symbols share the model."""

    __slots__ = ("_model", "manifest")
    is_kept = False

    def __init__(self, manifest: Manifest, model: CompiledTrees | RowModel) -> None:
        self.manifest = manifest
        self._model = model

    def probability(self, reading: Reading) -> float:
        """The raw probability of up for the feature values."""
        return self._model.predict(reading.values)

    def commit(self, sequence_closed: Float64Array, sequence: Float64Array) -> None:
        """Nothing to move on."""

    def reset(self) -> None:
        """Nothing to forget."""

    def memory(self) -> bytes:
        """Nothing besides the features."""
        return b""

    def replay(self, values: Float64Array, memory: bytes) -> float:  # noqa: ARG002 - no memory
        """The raw probability of up for recorded feature values."""
        return self._model.predict(values)

    def state_bytes(self) -> bytes:
        """No state."""
        return b""

    def set_state(self, state: bytes) -> None:
        """No state."""


class RecurrentMember:
    """A voice with memory.

    At the tick that closes a bar the probability is the one after the closed bar, exactly as in
    training; at later ticks it is a peek with the bar in progress. That tick is recognised by the
    bar in progress, whose channels change with every tick.
    """

    __slots__ = ("_at_close", "_closing", "_model", "manifest")
    is_kept = False

    def __init__(self, manifest: Manifest, model: RecurrentModel) -> None:
        self.manifest = manifest
        self._model = model
        self._at_close = 0.0
        self._closing = b""

    def probability(self, reading: Reading) -> float:
        """The raw probability of up at this tick."""
        if self._closing:
            closing, self._closing = self._closing, b""
            if closing == reading.sequence.tobytes():
                return self._at_close
        return self._model.peek(reading.sequence)

    def commit(self, sequence_closed: Float64Array, sequence: Float64Array) -> None:
        """Step over the closed bar."""
        self._at_close = self._model.commit(sequence_closed)
        self._closing = sequence.tobytes()

    def reset(self) -> None:
        """Back to the zero state."""
        self._closing = b""
        self._model.reset()

    def memory(self) -> bytes:
        """Hidden state, cell state and sequence of the last step, little-endian float32."""
        memory = self._model.memory
        return memory.tobytes() if IS_LITTLE_ENDIAN else memory.byteswap().tobytes()

    def replay(self, values: Float64Array, memory: bytes) -> float:  # noqa: ARG002 - in memory
        """The raw probability of a recorded step."""
        return self._model.replay(memory)

    def state_bytes(self) -> bytes:
        """The committed state."""
        return self._model.state_bytes()

    def set_state(self, state: bytes) -> None:
        """Continue from a committed state."""
        self._closing = b""
        self._model.set_state(state)


class WindowMember:
    """A voice that looks at the last closed bars and speaks once for each of them."""

    __slots__ = ("_model", "manifest")
    is_kept = True

    def __init__(self, manifest: Manifest, model: WindowModel) -> None:
        self.manifest = manifest
        self._model = model

    def probability(self, reading: Reading) -> float:  # noqa: ARG002 - the bar in progress is not seen
        """The raw probability of up after the bar closed last."""
        return self._model.probability()

    def commit(self, sequence_closed: Float64Array, sequence: Float64Array) -> None:  # noqa: ARG002
        """Move on by the closed bar."""
        self._model.commit(sequence_closed)

    def reset(self) -> None:
        """No bar is known."""
        self._model.reset()

    def memory(self) -> bytes:
        """The window, little-endian float32."""
        return self._model.state_bytes()

    def replay(self, values: Float64Array, memory: bytes) -> float:  # noqa: ARG002 - in memory
        """The raw probability of a recorded window."""
        return self._model.replay(memory)

    def state_bytes(self) -> bytes:
        """The window."""
        return self._model.state_bytes()

    def set_state(self, state: bytes) -> None:
        """Continue from a window."""
        self._model.set_state(state)


class LoadedModel:
    """A model whose bytes were verified; it gives one member to each symbol.

    Trees and LSTM steps are served by compiled evaluators that were held against ONNX Runtime here;
    a model of another form is served by ONNX Runtime itself.
    """

    def __init__(self, manifest: Manifest, content: bytes) -> None:
        """Open the session, build the compiled form where there is one, and warm both up.

        Raises:
            ModelMismatch: the bytes are not the registered ones, or not servable.
        """
        verify(content, manifest.sha256, manifest.model_id)
        self.manifest = manifest
        self._session = open_session(content)
        self._rows: CompiledTrees | RowModel | None = None
        self._cell: CompiledCell | None = None
        inputs = [len(entry.shape) for entry in self._session.get_inputs()]
        if inputs == [2]:
            self._load_rows(content)
        elif inputs == [3]:
            channels = WindowModel(self._session).channels
            self._check_width("sequence channels", channels, len(manifest.sequence_names))
        elif len(inputs) == 3:
            self._load_cell(content)
        else:
            raise ModelMismatch(
                f"Model {manifest.model_id} has inputs of {inputs} dimensions; served are one row "
                "of features [2], a window of bars [3], or a sequence and its two states.",
                remedy="Train again.",
            )
        self._is_window = inputs == [3]

    def member(self) -> Member:
        """A new voice for one symbol."""
        if self._rows is not None:
            return RowMember(self.manifest, self._rows)
        if self._is_window:
            return WindowMember(self.manifest, WindowModel(self._session))
        return RecurrentMember(self.manifest, RecurrentModel(self._session, self._cell))

    def _load_rows(self, content: bytes) -> None:
        model = RowModel(self._session)
        self._check_width("features", model.width, len(self.manifest.feature_names))
        try:
            self._rows = trees.compiled(content, model)
        except trees.NotCompilable:
            self._rows = model

    def _load_cell(self, content: bytes) -> None:
        channels = RecurrentModel(self._session).channels
        self._check_width("sequence channels", channels, len(self.manifest.sequence_names))
        with contextlib.suppress(trees.NotCompilable):
            self._cell = cell.compiled(content, self._session)

    def _check_width(self, what: str, found: int, expected: int) -> None:
        if found != expected:
            raise ModelMismatch(
                f"Model {self.manifest.model_id} takes {found} {what}, its manifest names "
                f"{expected}.",
                remedy="Train again.",
            )


def values_of(record: tuple[float | None, ...]) -> Float64Array:
    """Feature values as a record holds them: None stands for NaN."""
    return np.array([np.nan if value is None else value for value in record], np.float64)
