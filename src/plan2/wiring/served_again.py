"""A day's forecasts once more: by the models, features and vetoes that served at each moment.

The running program keeps the whole state of a lane at each start, each day and each change of
models (`learning_states.py`). A replay goes from one kept state to the next, so that it knows at
each tick what live knew: features and recurrent memory to the bit, champion and canary by their
hashes, live calibration, size factors, and the situations that novelty was measured in.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from plan2.dataflow.sources import Read
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import InputError, ModelMismatch
from plan2.foundation.values import NS_PER_SECOND, Tick
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.lane_state import take_up
from plan2.intelligence.learning.skew import EngineState, EngineStates
from plan2.intelligence.models.canary import is_turn
from plan2.intelligence.models.ensemble import Ensemble
from plan2.intelligence.models.members import LoadedModel
from plan2.intelligence.models.registry import Registry
from plan2.intelligence.models.serving import Serving
from plan2.intelligence.pipeline import Lane
from plan2.intelligence.regimes.similar import SituationIndex
from plan2.intelligence.regimes.watch import SituationWatch
from plan2.intelligence.warm_state import ticks_of
from plan2.wiring.feature_plan import plan_of
from plan2.wiring.situations import index_from
from plan2.wiring.surroundings import Span, archived_surroundings, schedules_of

SOONER: Final = "`plan2 serve` keeps them for four days: compare a day within three of its end."


class Piece(NamedTuple):
    """From when on, UTC ns, who served; `champion`, `canary`: their models of now, None = gone."""

    from_ns: int
    serving: Serving
    champion: Ensemble | None
    canary: Ensemble | None


class ServedAgain:
    """Serves one lane as it was served live.

    Args:
        states: kept of the symbol until the replay's end, oldest first.
        home: the market's, whose models, data sets and calendar are used. read: its archive.
        span: of the replay.

    Raises:
        InputError: nothing was kept, or what was kept was made by other features or code, or the
            situations of a data set are no longer there.
    """

    def __init__(
        self, states: Sequence[EngineState], home: Path, settings: Settings, read: Read, span: Span
    ) -> None:
        known = [each for each in states if each.serving is not None]
        if not known:
            raise InputError(
                "No state of features and models is kept of that day, so its forecasts cannot be "
                "made again.",
                remedy=SOONER,
            )
        earlier = sum(each.ts_ns < span.start_ns for each in known)
        self._states = known[max(0, earlier - 1) :]
        self._plan = plan_of(settings)
        self._instrument = known[0].instrument
        self._registry = Registry(home / "models")
        self._models: dict[str, LoadedModel | None] = {}
        self._read, self._span = read, span
        symbol = self._instrument.symbol
        self._around = archived_surroundings(home, self._plan, [symbol], span)
        self._schedule = schedules_of(home, {symbol: self._instrument})[symbol]
        names = {piece.data_set for piece in map(_serving, self._states)} - {""}
        self._indexes: dict[str, SituationIndex] = {
            name: index_from(home, name, symbol) for name in names
        }
        self._pieces = [self._piece(state) for state in self._states]

    def begin(self, lane: Lane) -> None:
        """Bring a fresh lane to the beginning of the replay.

        Before the first kept state nobody speaks, as live before its first closed bar.
        """
        lane.engine = self._engine()
        lane.situations = SituationWatch(lane.engine)
        lane.schedule = self._schedule
        lane.ensemble = lane.canary = None
        first, start_ns = self._states[0], self._span.start_ns
        if first.ts_ns >= start_ns:
            return
        self._next(lane)
        seen = (first.ts_ns, first.ticks_at - 1)
        for tick in ticks_of(self._read(lane.symbol, first.ts_ns, start_ns)):
            if (tick.ts_ns, tick.seq) <= seen:
                continue
            self.before(lane, tick)
            if lane.quality.check(tick, tick.ts_ns).is_accepted and lane.engine.step(
                tick.ts_ns, tick.bid, tick.ask
            ):
                lane.commit()

    def before(self, lane: Lane, tick: Tick) -> None:
        """Let those serve who served this tick live."""
        while self._states and (self._states[0].ts_ns, self._states[0].ticks_at) <= (
            tick.ts_ns,
            tick.seq,
        ):
            self._next(lane)

    def gone(self, ts_ns: int) -> str:
        """Which models spoke at a time and are no longer kept, by their ids; "" for none."""
        piece = next((each for each in reversed(self._pieces) if each.from_ns <= ts_ns), None)
        if piece is None:
            return ""
        serving, champion = piece.serving, piece.champion
        if serving.model_ids and champion is None:
            return self._missing(serving.model_ids)
        if not serving.canary_ids or piece.canary is not None or champion is None:
            return ""
        stretch = ts_ns // (champion.horizon_s * NS_PER_SECOND)
        is_its_turn = is_turn(serving.canary_id, self._instrument.symbol, stretch)
        return self._missing(serving.canary_ids) if is_its_turn else ""

    def _next(self, lane: Lane) -> None:
        state = self._states.pop(0)
        lane.situations.index = self._indexes.get(_serving(state).data_set)
        take_up(lane, state, self._load)

    def _engine(self) -> FeatureEngine:
        return FeatureEngine(self._plan, self._instrument, self._around)

    def _piece(self, state: EngineState) -> Piece:
        """Look whether everything of a state can still be taken up."""
        serving = _serving(state)
        if serving.schema_id != self._plan.schema_id:
            raise InputError(
                f"Live computed the features {serving.schema_id[:12]}… then; in use are "
                f"{self._plan.schema_id[:12]}… now, so its forecasts cannot be made again."
            )
        self._engine().restore(state.snapshot)
        champion, canary = self._load(serving.model_ids), self._load(serving.canary_ids)
        return Piece(state.ts_ns, serving, champion, canary)

    def _load(self, model_ids: tuple[str, ...]) -> Ensemble | None:
        models = [self._model(model_id) for model_id in model_ids]
        kept = [each for each in models if each is not None]
        if not models or len(kept) < len(models):
            return None
        return Ensemble(self._instrument.symbol, [each.member() for each in kept])

    def _model(self, model_id: str) -> LoadedModel | None:
        """A model by the hash that is its name; None when it is gone, or its bytes are others."""
        if model_id not in self._models:
            try:
                found: LoadedModel | None = self._registry.load(model_id, self._plan.schema_id)
            except (InputError, ModelMismatch):
                found = None
            self._models[model_id] = found
        return self._models[model_id]

    def _missing(self, model_ids: tuple[str, ...]) -> str:
        return ", ".join(each for each in model_ids if self._models[each] is None)


def kept_states(home: Path, symbol: str, until_ns: int) -> list[EngineState]:
    """The states of a symbol in a market's home before a time, oldest first.

    Whose account the market was served with does not matter; of several the one that was kept last.
    """
    folders = sorted((home / "state" / "skew").glob("*"))
    found = [EngineStates(folder).load(symbol, until_ns) for folder in folders]
    return max(found, key=lambda each: each[-1].ts_ns if each else 0, default=[])


def _serving(state: EngineState) -> Serving:
    return state.serving or Serving(schema_id="")
