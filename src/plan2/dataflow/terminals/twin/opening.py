"""Opens a world: its market, its trade server's accounts, its terminal, new or kept."""

import datetime as dt
from pathlib import Path

import msgspec

from plan2.dataflow.server_clock import ServerClock
from plan2.dataflow.sources import TickSource
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.dataflow.terminals.simulated.market import SyntheticMarket
from plan2.dataflow.terminals.simulated.source import SyntheticSource
from plan2.dataflow.terminals.twin.clockwork import (
    RunningTime,
    ServerTime,
    SteppedTime,
    TwinTime,
)
from plan2.dataflow.terminals.twin.market import TwinMarket
from plan2.dataflow.terminals.twin.options import VARIABLE, TwinOptions
from plan2.dataflow.terminals.twin.state import Beginning, StateFile, load_kept
from plan2.dataflow.terminals.twin.terminal import open_account
from plan2.dataflow.terminals.twin.world import TwinWorld
from plan2.foundation.clock import Clock, SimulatedClock
from plan2.foundation.errors import ConfigError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND


def open_world(options: TwinOptions, clock: Clock, source: TickSource | None = None) -> TwinWorld:
    """A world at the clock's time, or at `options.start`.

    clock: a `SimulatedClock` is followed and moved by waits (then `start` does not count); any
    other one runs on by itself, `speed` times as fast. source: of ticks instead of the synthetic
    market.

    Raises:
        ConfigError: an option or the state file cannot be used.
    """
    path = Path(options.state_path) if options.state_path else None
    kept = load_kept(path) if path else None
    beginning = _beginning(options, clock)
    if kept is not None:
        beginning = Beginning(
            origin_ns=kept.origin_ns, start_ns=kept.start_ns, anchor_ns=kept.anchor_ns
        )
    time = _time(clock, beginning, options.speed)
    now_ns = kept.now_ns if kept else time.now_ns()
    server = ServerTime(ServerClock.parse(options.server_clock))
    if source is None:
        source = SyntheticSource(
            SyntheticMarket(options.seed, options.symbols, beginning.origin_ns)
        )
    market = TwinMarket(source, options.suffix, beginning.origin_ns, now_ns)
    contracts = _contracts(options)
    accounts = {
        terms.login: open_account(terms, options, contracts, server, beginning.start_ns)
        for terms in options.accounts
    }
    return TwinWorld(options, time, market, server, accounts, StateFile(path, beginning))


def _beginning(options: TwinOptions, clock: Clock) -> Beginning:
    now_ns = clock.now_ns()
    start_ns = now_ns
    if options.start and not isinstance(clock, SimulatedClock):
        start_ns = _instant_ns(options.start)
    origin_ns = (start_ns - options.history_days * NS_PER_DAY) // NS_PER_HOUR * NS_PER_HOUR
    return Beginning(origin_ns=origin_ns, start_ns=start_ns, anchor_ns=now_ns)


def _time(clock: Clock, beginning: Beginning, speed: float) -> TwinTime:
    if isinstance(clock, SimulatedClock):
        return SteppedTime(clock)
    return RunningTime(clock, beginning.anchor_ns, beginning.start_ns, speed)


def _instant_ns(text: str) -> int:
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(
            f"{VARIABLE}: start {text!r} is not an ISO 8601 instant",
            remedy='Write it like "2024-03-05T08:00:00".',
        ) from error
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=dt.UTC)
    return round(instant.timestamp()) * NS_PER_SECOND


def _contracts(options: TwinOptions) -> dict[str, Instrument]:
    """Contract data by the broker's names."""
    return {
        symbol + options.suffix: msgspec.structs.replace(one, symbol=symbol + options.suffix)
        for symbol, one in instruments(options.symbols).items()
    }
