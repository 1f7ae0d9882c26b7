"""Compares a day's served feature vectors with a replay of its ticks, in a child process."""

import datetime as dt
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from plan2.dataflow.archive import TickArchive
from plan2.foundation.config.load import Loaded, data_dir
from plan2.foundation.database.tenancy import MAIN_TENANT
from plan2.foundation.errors import InputError
from plan2.foundation.events.base import Event
from plan2.foundation.events.learning import SkewMeasured
from plan2.foundation.eventstore.store import EventStore
from plan2.foundation.log import logger
from plan2.foundation.storage import open_database
from plan2.foundation.values import NS_PER_DAY
from plan2.foundation.workers import run_worker
from plan2.intelligence.features.plan import default_plan
from plan2.intelligence.learning.skew import (
    EngineStates,
    Recorded,
    Served,
    Skew,
    measure_skew,
    served_of,
)
from plan2.wiring.feature_plan import plan_of
from plan2.wiring.markets import Market, simulated_home
from plan2.wiring.surroundings import Span, archived_surroundings

PAGE = 500
TIMEOUT_S = 1_800.0
EPOCH = dt.date(1970, 1, 1)


class AccountSkew(msgspec.Struct, frozen=True, kw_only=True):
    """What was found for the decisions of one account on one UTC day of its market."""

    account_id: str
    day: str
    symbols: tuple[Skew, ...]


class SkewJob:
    """The nightly job of the running program; the comparison itself runs in a child.

    Attributes:
        mismatches: of the newest measurement; more than 0 keeps challengers in the shadow.
    """

    def __init__(self, loaded: Loaded, market: Market, record: Callable[[Event], None]) -> None:
        self.mismatches = 0
        self._loaded = loaded
        self._market = market
        self._record = record

    async def measure(self) -> None:
        """Measure the last whole day of the market."""
        day = self._market.clock.now_ns() // NS_PER_DAY - 1
        argv = [sys.executable, "-m", "plan2", "learn", "skew", "--worker"]
        argv += ["--data-dir", str(data_dir(self._loaded.settings)), "--day", day_text(day)]
        argv += ["--account", self._market.account_id]
        result = await run_worker(argv, lambda _: None, TIMEOUT_S)
        if result.failure is not None:
            logger("learning").error("skew_not_measured", reason=result.failure.message)
            return
        found = msgspec.convert(result.value, AccountSkew)
        self.mismatches = sum(each.mismatches for each in found.symbols)
        for each in found.symbols:
            self._record(
                SkewMeasured(
                    ts_ns=(day + 1) * NS_PER_DAY,
                    symbol=each.symbol,
                    day=found.day,
                    compared=each.compared,
                    mismatches=each.mismatches,
                    uncovered=each.uncovered,
                    first_mismatch=each.first_mismatch,
                )
            )


def states_folder(home: Path, account_id: str) -> Path:
    """Where the engine states of a market are kept while an account is served on it."""
    return home / "state" / "skew" / account_id


def day_text(day: int) -> str:
    """Days since 1970 as YYYY-MM-DD."""
    return (EPOCH + dt.timedelta(days=day)).isoformat()


async def skew_of_day(loaded: Loaded, account_id: str, day: dt.date | None) -> AccountSkew:
    """Compare a day of an account; None = the day of its newest decision.

    Raises:
        InputError: the account has no kept states, or no decision.
    """
    home = home_of(data_dir(loaded.settings), account_id)
    async with open_database(loaded.settings, lambda _: None, may_join=True) as database:
        served = await _served(database.store, account_id, day)
    if not served:
        raise InputError(
            f"No decision of {account_id} is stored for {day or 'any day'}.",
            remedy="`plan2 events tail --type DecisionMade` shows what there is.",
        )
    number = max(each.ts_ns for found in served.values() for each in found) // NS_PER_DAY
    if day is not None:
        number = (day - EPOCH).days
    start_ns, end_ns = number * NS_PER_DAY, (number + 1) * NS_PER_DAY
    archive, states = TickArchive(home / "archive"), EngineStates(states_folder(home, account_id))
    plan = plan_of(loaded.settings)
    span = Span(max(0, start_ns - NS_PER_DAY), end_ns)
    around = archived_surroundings(home, plan, states.symbols(), span)
    found = tuple(
        measure_skew(
            symbol,
            [each for each in served.get(symbol, []) if start_ns <= each.ts_ns < end_ns],
            states.load(symbol, end_ns),
            partial(archive.read, symbol),
            partial(default_plan, feature_set=plan.feature_set),
            around,
        )
        for symbol in states.symbols()
    )
    return AccountSkew(account_id=account_id, day=day_text(number), symbols=found)


async def _served(
    store: EventStore, account_id: str, day: dt.date | None
) -> dict[str, list[Served]]:
    """The newest decisions of an account, by symbol, back to the day that is asked for."""
    found: dict[str, list[Served]] = {}
    oldest_ns = None if day is None else (day - EPOCH).days * NS_PER_DAY
    before: int | None = None
    while True:
        page = await store.read_all(
            MAIN_TENANT, before=before, limit=PAGE, newest_first=True, types=("DecisionMade",)
        )
        for stored in page:
            data = stored.data
            if data["account_id"] != account_id:
                continue
            seen = served_of(msgspec.convert(data["record"], Recorded))
            if oldest_ns is None:
                oldest_ns = seen.ts_ns // NS_PER_DAY * NS_PER_DAY
            if seen.ts_ns < oldest_ns:
                return found
            found.setdefault(data["symbol"], []).append(seen)
        if len(page) < PAGE:
            return found
        before = page[-1].position


def home_of(folder: Path, account_id: str) -> Path:
    """The market's home that keeps states of this account.

    Raises:
        InputError: none does.
    """
    for home in (simulated_home(folder), folder):
        if states_folder(home, account_id).is_dir():
            return home
    homes = (simulated_home(folder), folder)
    known = sorted(path.name for home in homes for path in (home / "state" / "skew").glob("*"))
    raise InputError(
        f"No engine states of account {account_id!r} are kept in {folder}.",
        remedy=f"`plan2 serve` keeps them; accounts with states: {', '.join(known) or 'none'}.",
    )
