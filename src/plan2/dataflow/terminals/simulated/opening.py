"""Opens simulated terminals: on the synthetic market or on recorded ticks, kept or in memory.

A kept account goes on where it was: its file says when the market began and where it stands, so a
changed `history_days` or `balance` has effect for new accounts only.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec

from plan2.dataflow.replay import Pacing
from plan2.dataflow.sources import RecordedSource, TickSource
from plan2.dataflow.terminals.simulated import calendar
from plan2.dataflow.terminals.simulated.account_file import AccountFile, Saved, open_account_file
from plan2.dataflow.terminals.simulated.broker import BrokerOptions, PaperBroker
from plan2.dataflow.terminals.simulated.faults import Faults
from plan2.dataflow.terminals.simulated.instruments import instruments
from plan2.dataflow.terminals.simulated.market import FIRST_INSTANT_NS, SyntheticMarket
from plan2.dataflow.terminals.simulated.origin import Origin, write_origin
from plan2.dataflow.terminals.simulated.paper import History, PaperTerminal
from plan2.dataflow.terminals.simulated.rules import AccountRules
from plan2.dataflow.terminals.simulated.source import SyntheticSource
from plan2.dataflow.terminals.simulated.terminal import MarketReplay, SimulatedTerminal
from plan2.foundation.clock import Clock, SimulatedClock
from plan2.foundation.config.schema import Simulated
from plan2.foundation.errors import ConfigError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_DAY

FOLDER = "simulated"


class PaperAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Which account to open and how its terminal behaves beyond the configuration.

    Attributes:
        name: of the terminal. account: the login; with `data_dir` it is kept in
        `<data_dir>/simulated/<account>.sqlite`, without one only in memory.
        is_paced: play at the configured speed, or else as fast as the listener can.
        rules: what the broker allows; hedging unless they say netting.
        gate: false while somebody downstream is behind.
    """

    name: str = "simulated"
    account: str = "paper"
    data_dir: Path | None = None
    is_paced: bool = True
    rules: AccountRules = AccountRules()
    gate: Callable[[], bool] = lambda: True
    faults: Faults = Faults()


def open_synthetic(
    settings: Simulated, symbols: tuple[str, ...], paper: PaperAccount
) -> SimulatedTerminal:
    """A terminal on the synthetic market, at its first instant or where the account left it.

    Raises:
        ConfigError: for an unknown symbol, or an account file that is in use, damaged or belongs to
            another market.
    """
    contracts = instruments(symbols, settings.leverage)
    file, saved = _opened(paper)
    new_origin_ns = FIRST_INSTANT_NS - settings.history_days * NS_PER_DAY
    origin_ns = saved.header.origin_ns if saved else new_origin_ns
    market = SyntheticMarket(settings.seed, symbols, origin_ns, settings.strength)
    source = SyntheticSource(market, saved.market if saved else b"")
    options = msgspec.structs.replace(
        _options(settings, paper, source),
        mode="simulated",
        origin_ns=origin_ns,
        start_ns=saved.ts_ns if saved else FIRST_INSTANT_NS,
    )
    broker = _broker(contracts, options, file, calendar.is_open)
    if paper.data_dir is not None:
        kept = Origin(seed=settings.seed, strength=settings.strength, start_ns=origin_ns)
        write_origin(paper.data_dir / FOLDER, kept)
    return _terminal(settings, paper, source, broker, file)


def open_recorded(
    settings: Simulated,
    recording: RecordedSource,
    paper: PaperAccount,
    contracts: dict[str, Instrument] | None = None,
    is_session: Callable[[int], bool] = calendar.is_open,
) -> SimulatedTerminal:
    """A terminal on recorded ticks, at their first instant or where the account left them.

    `contracts`: of the recorded symbols; without them, those of the simulated market.

    Raises:
        ConfigError: as `open_synthetic`.
    """
    known = contracts or instruments(recording.symbols, settings.leverage)
    file, saved = _opened(paper)
    options = msgspec.structs.replace(
        _options(settings, paper, recording),
        mode="replay",
        origin_ns=recording.start_ns,
        start_ns=saved.ts_ns if saved else recording.start_ns,
    )
    broker = _broker(known, options, file, is_session)
    return _terminal(settings, paper, recording, broker, file)


class JoinedMarket(msgspec.Struct, frozen=True, kw_only=True):
    """A market that another terminal plays, as a further paper account needs to know it.

    `identity` names it: an account file belongs to one market; `is_session` says whether it is open
    at a time, UTC nanoseconds.
    """

    identity: str
    mode: str
    clock: Clock
    contracts: dict[str, Instrument]
    history: History
    is_session: Callable[[int], bool] = calendar.is_open


def join_market(settings: Simulated, market: JoinedMarket, paper: PaperAccount) -> PaperTerminal:
    """A further paper account on a market; new ones begin at its present.

    Raises:
        ConfigError: as `open_synthetic`.
    """
    file, saved = _opened(paper)
    now_ns = market.clock.now_ns()
    options = BrokerOptions(
        account=paper.account,
        market=market.identity,
        currency=settings.currency,
        deposit=Decimal(settings.balance),
        latency_ms=settings.order_latency_ms,
        rules=paper.rules,
        faults=paper.faults,
        mode=market.mode,
        origin_ns=saved.header.origin_ns if saved else now_ns,
        start_ns=saved.ts_ns if saved else now_ns,
    )
    broker = _broker(market.contracts, options, file, market.is_session)
    return PaperTerminal(paper.name, market.clock, broker, market.history, file)


def account_path(data_dir: Path, account: str) -> Path:
    """Where a paper account is kept."""
    return data_dir / FOLDER / f"{account}.sqlite"


def _opened(paper: PaperAccount) -> tuple[AccountFile | None, Saved | None]:
    if paper.data_dir is None:
        return None, None
    file = open_account_file(account_path(paper.data_dir, paper.account))
    try:
        return file, file.load()
    except ConfigError:
        file.close()
        raise


def _broker(
    contracts: dict[str, Instrument],
    options: BrokerOptions,
    file: AccountFile | None,
    is_session: Callable[[int], bool],
) -> PaperBroker:
    """The broker; a file that turns out not to be its account's is let go."""
    try:
        return PaperBroker(contracts, options, file, is_session)
    except ConfigError:
        if file is not None:
            file.close()
        raise


def _options(settings: Simulated, paper: PaperAccount, source: TickSource) -> BrokerOptions:
    return BrokerOptions(
        account=paper.account,
        market=source.identity,
        currency=settings.currency,
        deposit=Decimal(settings.balance),
        latency_ms=settings.order_latency_ms,
        rules=paper.rules,
        faults=paper.faults,
    )


def _terminal(
    settings: Simulated,
    paper: PaperAccount,
    source: TickSource,
    broker: PaperBroker,
    file: AccountFile | None,
) -> SimulatedTerminal:
    market = MarketReplay(
        source=source,
        start_ns=broker.options.start_ns,
        clock=SimulatedClock(broker.options.start_ns),
        pacing=Pacing(speed=settings.speed if paper.is_paced else None),
        gate=paper.gate,
    )
    return SimulatedTerminal(paper.name, market, broker, file)
