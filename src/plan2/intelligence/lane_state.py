"""The whole state of a lane: kept while it serves, and taken up again when its day is replayed."""

from collections.abc import Callable

from plan2.foundation.values import Tick
from plan2.intelligence.learning.skew import EngineState
from plan2.intelligence.models.canary import Canary
from plan2.intelligence.models.ensemble import Ensemble
from plan2.intelligence.models.serving import Serving
from plan2.intelligence.models.standing import Standing
from plan2.intelligence.pipeline import Lane

Load = Callable[[tuple[str, ...]], Ensemble | None]
"""Fresh models of the lane's symbol by their ids; None when one of them is no longer kept."""


def serving_of(lane: Lane) -> Serving:
    """Who serves a lane now."""
    ensemble, canary = lane.ensemble, lane.canary
    serving = Serving(
        schema_id=lane.engine.plan.schema_id,
        size_factor=lane.standing.size_factor,
        is_widened=lane.situations.is_widened,
        data_set=lane.situations.data_set,
    )
    if ensemble is None:
        return serving
    return Serving(
        schema_id=serving.schema_id,
        model_ids=ensemble.model_ids,
        line=ensemble.line,
        size_factor=serving.size_factor,
        canary_id="" if canary is None else canary.candidate_id,
        canary_ids=() if canary is None else canary.ensemble.model_ids,
        canary_size_factor=1.0 if canary is None else canary.standing.size_factor,
        is_widened=serving.is_widened,
        data_set=serving.data_set,
    )


def state_of(lane: Lane, last: Tick) -> EngineState:
    """Everything that the lane's next forecast depends on, after the tick `last`."""
    ensemble, canary = lane.ensemble, lane.canary
    return EngineState(
        ts_ns=last.ts_ns,
        ticks_at=last.seq + 1,
        instrument=lane.engine.instrument,
        bar_period_s=lane.engine.plan.bar_period_s,
        snapshot=lane.engine.snapshot(),
        serving=serving_of(lane),
        trail=lane.trail.state_bytes(),
        ensemble=b"" if ensemble is None else ensemble.state_bytes(),
        canary=b"" if canary is None else canary.ensemble.state_bytes(),
    )


def take_up(lane: Lane, state: EngineState, load: Load) -> None:
    """Let a lane go on from a kept state; who is no longer kept says nothing.

    Raises:
        InputError: the state was made by other feature code than today's.
    """
    serving = state.serving
    lane.engine.restore(state.snapshot)
    if serving is None:
        return
    lane.trail.clear()
    if state.trail:
        lane.trail.set_state(state.trail)
    lane.situations.is_widened = serving.is_widened
    lane.standing = Standing(size_factor=serving.size_factor)
    lane.ensemble = _again(lane.ensemble, serving.model_ids, state.ensemble, load)
    if lane.ensemble is not None:
        lane.ensemble.calibrate(serving.line)
    before = lane.canary.ensemble if lane.canary is not None else None
    second = _again(before, serving.canary_ids, state.canary, load)
    if second is None or lane.ensemble is None:
        lane.canary = None
        return
    standing = Standing(size_factor=serving.canary_size_factor)
    lane.canary = Canary(serving.canary_id, second, standing)


def _again(
    present: Ensemble | None, model_ids: tuple[str, ...], memory: bytes, load: Load
) -> Ensemble | None:
    """The models in the state that they were in, without loading those that are there."""
    is_there = present is not None and present.model_ids == model_ids
    ensemble = present if is_there else load(model_ids) if model_ids else None
    if ensemble is not None:
        ensemble.set_state(memory)
    return ensemble
