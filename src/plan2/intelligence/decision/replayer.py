"""Finds the models that a recorded decision names and takes the decision again with them."""

import asyncio
from collections.abc import Sequence

import msgspec

from plan2.foundation.errors import InputError
from plan2.foundation.instrument import EarlierContract, Instrument
from plan2.intelligence.decision.explain import Replayed, replay
from plan2.intelligence.decision.record import DecisionRecord
from plan2.intelligence.models.ensemble import Ensemble, models_in
from plan2.intelligence.models.forecast import Forecast
from plan2.intelligence.models.registry import Registry


class RecordReplayer:
    """Replays decision records; loaded ensembles are kept for the next one.

    `instruments` are as the broker tells them now, `earlier` what he has changed, oldest first.
    """

    def __init__(
        self,
        registry: Registry,
        instruments: dict[str, Instrument],
        earlier: Sequence[EarlierContract] = (),
    ) -> None:
        self._registry = registry
        self._instruments = instruments
        self._earlier = earlier
        self._ensembles: dict[tuple[str, ...], Ensemble] = {}
        self._one_at_a_time = asyncio.Lock()  # the sessions' bound buffers are not for two threads

    async def replay(self, record: DecisionRecord) -> Replayed:
        """Decide again and compare bit for bit, in a thread: models may have to be loaded.

        Raises:
            InputError: the symbol or a model of the record is not known here.
            ModelMismatch: a model's bytes are not what they were.
        """
        contract = record.contract
        own = None if isinstance(contract, msgspec.UnsetType) else contract
        instrument = own or self._contract_at(record)
        if instrument is None:
            raise InputError(
                f"Decision {record.decision_id} is about {record.symbol}, which is not on offer.",
                remedy=f"Known symbols: {', '.join(sorted(self._instruments))}.",
            )
        async with self._one_at_a_time:
            return await asyncio.to_thread(replay, record, instrument, self._recompute)

    def _contract_at(self, record: DecisionRecord) -> Instrument | None:
        """The symbol's contract when the record was written."""
        of_then = (
            one.instrument
            for one in self._earlier
            if one.instrument.symbol == record.symbol and record.ts_ns < one.until_ns
        )
        return next(of_then, None) or self._instruments.get(record.symbol)

    def _recompute(self, record: DecisionRecord) -> Forecast | None:
        if record.forecast is None or not record.states:
            return record.forecast  # no model ran: there is nothing to compute again
        ensemble = self._ensemble(record)
        return ensemble.recompute(record.ts_ns, record.features.values, record.states)

    def _ensemble(self, record: DecisionRecord) -> Ensemble:
        model_ids = tuple(sorted(models_in(record.states)))
        key = (record.symbol, *model_ids)
        if key not in self._ensembles:
            schema_id = record.features.schema_id
            models = [self._registry.load(model_id, schema_id) for model_id in model_ids]
            self._ensembles[key] = Ensemble(record.symbol, [model.member() for model in models])
        return self._ensembles[key]
