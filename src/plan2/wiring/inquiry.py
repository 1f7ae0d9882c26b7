"""Looks a decision up in the event store and takes it again, for `plan2 explain` and `replay`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from plan2.dataflow.terminals.simulated.instruments import SYMBOLS, instruments
from plan2.foundation.config.load import Loaded, data_dir
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import InputError
from plan2.foundation.eventstore.record import StoredEvent
from plan2.foundation.eventstore.store import EventStore
from plan2.foundation.storage import open_database
from plan2.intelligence.decision.explain import Replayed
from plan2.intelligence.decision.record import DecisionRecord
from plan2.intelligence.decision.replayer import RecordReplayer
from plan2.intelligence.models.registry import Registry
from plan2.wiring.contract_file import read_contracts
from plan2.wiring.live_account import FOLDER, LiveAccount, read_account
from plan2.wiring.markets import REPLAY, simulated_home

PAGE = 500
MENTIONS = ("order_id", "decision_id", "position_id", "fill_id", "token")
"""Payload members by which an event belongs to what a user asks about."""


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """A decision, what followed from it, and whether taking it again gives the same."""

    record: DecisionRecord
    replayed: Replayed
    feature_names: tuple[str, ...]
    followed: tuple[dict[str, object], ...]


class Inquiry:
    """Reads decisions of one tenant."""

    def __init__(self, store: EventStore, folder: Path, leverage: float) -> None:
        self._store = store
        self._folder = folder
        self._simulated = instruments(SYMBOLS, leverage)
        self._replayers: dict[str, RecordReplayer] = {}

    async def explain(self, wanted: str) -> Explained:
        """The decision that `wanted` names: a decision, order or position id, or its beginning.

        Raises:
            InputError: nothing, or more than one decision, answers to it.
        """
        decision_id = await self._decision_id(wanted)
        found: DecisionRecord | None = None
        followed: list[dict[str, object]] = []
        async for stored in self._events():
            data = stored.data
            if data.get("decision_id") != decision_id and stored.correlation_id != decision_id:
                continue
            if stored.type == "DecisionMade":
                found = found or msgspec.convert(data["record"], DecisionRecord)
            else:
                followed.append({"event": stored.type, "position": stored.position, **data})
        if found is None:
            raise _unknown(wanted)
        followed += await self._fills_of({str(item.get("order_id", "")) for item in followed})
        return Explained(
            record=found,
            replayed=await self.replay(found),
            feature_names=self._feature_names(found),
            followed=tuple(followed),
        )

    async def replay(self, record: DecisionRecord) -> Replayed:
        """Take a decision again with the models and the contracts of its own market."""
        account_id = record.account_id
        if account_id not in self._replayers:
            self._replayers[account_id] = self._replayer(account_id)
        return await self._replayers[account_id].replay(record)

    async def records(self, account_id: str | None) -> AsyncIterator[DecisionRecord]:
        """All stored decisions, oldest first, of one account or of all."""
        async for stored in self._events(("DecisionMade",)):
            data = stored.data
            if account_id is None or data["account_id"] == account_id:
                yield msgspec.convert(data["record"], DecisionRecord)

    async def _decision_id(self, wanted: str) -> str:
        matches: set[str] = set()
        async for stored in self._events():
            data = stored.data
            if any(str(data.get(name, "")).startswith(wanted) for name in MENTIONS):
                decision_id = str(data.get("decision_id") or stored.correlation_id)
                if decision_id:
                    matches.add(decision_id)
        if not matches:
            raise _unknown(wanted)
        if len(matches) > 1:
            raise InputError(
                f"{wanted!r} is the beginning of {len(matches)} ids.",
                remedy=f"Say more of it, for example {min(matches)}.",
            )
        return matches.pop()

    async def _fills_of(self, order_ids: set[str]) -> list[dict[str, object]]:
        order_ids.discard("")
        return [
            {"event": stored.type, "position": stored.position, **stored.data}
            async for stored in self._events(("OrderAccepted", "OrderExecuted", "OrderRejected"))
            if stored.data.get("order_id") in order_ids
        ]

    async def _events(self, types: tuple[str, ...] = ()) -> AsyncIterator[StoredEvent]:
        after = 0
        while True:
            page = await self._store.read_all(MAIN_TENANT, after=after, limit=PAGE, types=types)
            for stored in page:
                yield stored
            if len(page) < PAGE:
                return
            after = page[-1].position

    def _replayer(self, account_id: str) -> RecordReplayer:
        registry = Registry(self._home(account_id) / "models")
        broker = self._broker(account_id)
        if broker is not None:
            return RecordReplayer(registry, broker.instruments, broker.earlier)
        is_past = account_id.startswith(REPLAY)
        told = read_contracts(self._folder) if is_past else {}
        return RecordReplayer(registry, {**self._simulated, **told})

    def _broker(self, account_id: str) -> LiveAccount | None:
        """What is kept of an account at a broker; None of every other account."""
        return read_account(self._folder / FOLDER / f"{account_id}.json")

    def _home(self, account_id: str) -> Path:
        is_real = account_id.startswith(REPLAY) or self._broker(account_id) is not None
        return self._folder if is_real else simulated_home(self._folder)

    def _feature_names(self, record: DecisionRecord) -> tuple[str, ...]:
        if not record.states:
            return ()
        registry = Registry(self._home(record.account_id) / "models")
        model_id = min(key for key in record.states if "-" in key)
        return tuple(registry.show(model_id).feature_names)


@asynccontextmanager
async def open_inquiry(loaded: Loaded) -> AsyncIterator[Inquiry]:
    """Read decisions beside a running `plan2 serve`, or with the database started for it."""
    settings = loaded.settings
    async with open_database(settings, lambda _: None, may_join=True) as database:
        yield Inquiry(database.store, data_dir(settings), settings.simulated.leverage)


def _unknown(wanted: str) -> InputError:
    return InputError(
        f"No stored decision, order or position has an id that begins with {wanted!r}.",
        remedy="Ids are on the Decisions page and in `plan2 events tail --type DecisionMade`.",
    )
