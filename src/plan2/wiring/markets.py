"""Opens the market that a run trades on: the simulated one, or a replay of imported ticks.

Everything of the simulated market (ticks, models, feature state) has a home of its own in the data
folder, so that it can never be taken for, or trained together with, real data.
"""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import TypedDict

import msgspec

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.sources import RecordedSource
from plan2.dataflow.terminals.port import Terminal
from plan2.dataflow.terminals.simulated.opening import (
    FOLDER,
    PaperAccount,
    account_path,
    open_recorded,
    open_synthetic,
)
from plan2.dataflow.terminals.simulated.terminal import SimulatedTerminal
from plan2.foundation.clock import Clock
from plan2.foundation.config.schema import Settings, Simulated
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import EarlierContract, Instrument
from plan2.foundation.values import TenantId
from plan2.wiring.contracts import contracts_of

SIMULATED = "simulated"
REPLAY = "replay"
BACKTEST = "backtest"
PAPER = "paper"
FINISHED = ".finished"


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """A market and an account on it, ready to play.

    `home` is the folder with the market's ticks and models; `clock` tells market time; `speed` None
    = as fast as it goes; `wait_end` waits until no tick will come any more and says whether the
    market came to its end; deals before `since_ns` are not ours.
    """

    mode: str
    label: str
    account_id: str
    currency: str
    start_balance: Decimal
    symbols: tuple[str, ...]
    home: Path
    terminal: Terminal
    instruments: dict[str, Instrument]
    earlier: list[EarlierContract] = msgspec.field(default_factory=list)
    """Contract data that a broker has changed since, oldest first."""
    clock: Clock
    wait_end: Callable[[], Awaitable[bool]]
    speed: float | None = 1.0
    finished: Path | None = None
    since_ns: int = 0
    identity: str = ""
    """Which market it is, as files of paper accounts name it."""
    wait_start: Callable[[], Awaitable[None]] | None = None
    """Waits, however long, for a terminal that is not there yet; None when it is."""

    @property
    def is_paper(self) -> bool:
        """Whether no broker outside of this process knows of the account."""
        return self.mode in {SIMULATED, REPLAY, BACKTEST, PAPER}


class Gate:
    """Whether a market may deliver the next tick: books are settled, nobody is behind."""

    def __init__(self) -> None:
        self.is_open = False
        self.waits_for: Callable[[], bool] = lambda: False

    def __call__(self) -> bool:
        """Ask."""
        return self.is_open and not self.waits_for()


class ReplayWindow(msgspec.Struct, frozen=True, kw_only=True):
    """What is replayed; times UTC nanoseconds, None = as far as the archive goes."""

    symbols: tuple[str, ...]
    start_ns: int | None = None
    end_ns: int | None = None
    speed: float | None = 10.0
    fresh: bool = False


def paper_account_of(tenant_id: TenantId) -> str:
    """A tenant's paper account; orders are named after it, so no two tenants share one."""
    return f"paper-{tenant_id.replace('_', '-')}"


def simulated_home(data_dir: Path) -> Path:
    """The simulated market's own data folder."""
    return data_dir / FOLDER


def open_simulated(settings: Settings, data_dir: Path, gate: Callable[[], bool]) -> Market:
    """The synthetic market, where the paper account left it; `gate` false makes it wait."""
    paper = PaperAccount(account="paper", data_dir=data_dir, gate=gate)
    symbols = settings.market.symbols
    speed = settings.simulated.speed
    return Market(
        mode=SIMULATED,
        label=f"SIMULATED market at {_pace(speed)}",
        symbols=symbols,
        home=simulated_home(data_dir),
        speed=speed,
        **_paper_parts(settings, paper, open_synthetic(settings.simulated, symbols, paper)),
    )


def open_replay(
    settings: Settings, data_dir: Path, window: ReplayWindow, gate: Callable[[], bool]
) -> Market:
    """Imported ticks; goes on with the newest unfinished replay of the same symbols.

    Raises:
        InputError: nothing is imported for a symbol, or the window holds no ticks.
        ConfigError: the unfinished replay is of another window.
    """
    recording = recorded(TickArchive(data_dir / "archive"), window)
    account = _replay_account(data_dir, window)
    simulated = settings.simulated
    if window.speed is not None:
        simulated = msgspec.structs.replace(simulated, speed=window.speed)
    paper = PaperAccount(
        name="replay",
        account=account,
        data_dir=data_dir,
        is_paced=window.speed is not None,
        gate=gate,
    )
    return Market(
        mode=REPLAY,
        label=f"REPLAY of {', '.join(window.symbols)} at {_pace(window.speed)}",
        symbols=window.symbols,
        home=data_dir,
        speed=window.speed,
        finished=account_path(data_dir, account).with_suffix(FINISHED),
        **_paper_parts(settings, paper, _recorded_terminal(simulated, recording, paper, data_dir)),
    )


def open_backtest(settings: Settings, data_dir: Path, window: ReplayWindow) -> Market:
    """Imported ticks as fast as they go, and an account in memory."""
    recording = recorded(TickArchive(data_dir / "archive"), window)
    paper = PaperAccount(name="backtest", account="backtest", is_paced=False)
    return Market(
        mode=BACKTEST,
        label=f"BACKTEST of {', '.join(window.symbols)}",
        symbols=window.symbols,
        home=data_dir,
        speed=None,
        **_paper_parts(
            settings, paper, _recorded_terminal(settings.simulated, recording, paper, data_dir)
        ),
    )


def _recorded_terminal(
    simulated: Simulated, recording: RecordedSource, paper: PaperAccount, data_dir: Path
) -> SimulatedTerminal:
    """A paper account on recorded ticks, by the contract data that somebody has told of them.

    Raises:
        InputError: nobody has told those of a symbol.
        ConfigError: the account file is in use, damaged or belongs to another market.
    """
    contracts = {
        symbol: msgspec.structs.replace(contract, leverage=simulated.leverage)
        for symbol, contract in contracts_of(data_dir, recording.symbols).items()
    }
    return open_recorded(simulated, recording, paper, contracts)


class _PaperParts(TypedDict):
    account_id: str
    currency: str
    start_balance: Decimal
    terminal: SimulatedTerminal
    instruments: dict[str, Instrument]
    clock: Clock
    wait_end: Callable[[], Awaitable[bool]]
    identity: str


def _paper_parts(
    settings: Settings, paper: PaperAccount, terminal: SimulatedTerminal
) -> _PaperParts:
    """What a market on the paper broker consists of."""

    async def wait_end() -> bool:
        await terminal.wait()
        return terminal.player.progress.state == "finished"

    return _PaperParts(
        account_id=paper.account,
        currency=settings.simulated.currency,
        start_balance=Decimal(settings.simulated.balance),
        terminal=terminal,
        instruments=terminal.instruments(),
        clock=terminal.clock,
        wait_end=wait_end,
        identity=terminal.market,
    )


def _pace(speed: float | None) -> str:
    return "full speed" if speed is None else f"{speed:g} × real time"


def recorded(archive: TickArchive, window: ReplayWindow) -> RecordedSource:
    """The imported ticks of a window.

    Raises:
        InputError: nothing is imported for a symbol, or the window holds no ticks.
    """
    spans = [_span(archive, symbol) for symbol in window.symbols]
    first_ns = min(first for first, _ in spans)
    last_ns = max(last for _, last in spans)
    start_ns = first_ns if window.start_ns is None else window.start_ns
    end_ns = last_ns + 1 if window.end_ns is None else window.end_ns
    if end_ns <= first_ns or start_ns > last_ns or start_ns >= end_ns:
        raise InputError(
            f"No ticks of {', '.join(window.symbols)} lie in the chosen time.",
            remedy="`plan2 archive list` shows what is imported.",
        )
    return RecordedSource(window.symbols, archive.read, start_ns, end_ns)


def _span(archive: TickArchive, symbol: str) -> tuple[int, int]:
    days = archive.coverage(symbol)
    if not days:
        known = ", ".join(archive.symbols()) or "none"
        raise InputError(
            f"Nothing is imported for {symbol}; imported symbols: {known}.",
            remedy="Bring ticks in with `plan2 import FILE…`.",
        )
    return days[0].first_ts_ns, days[-1].last_ts_ns


def _replay_account(data_dir: Path, window: ReplayWindow) -> str:
    """The unfinished account of these symbols, or the name of a new one; numbered from 1."""
    stem = f"replay-{'-'.join(window.symbols)}"
    existing = sorted(simulated_home(data_dir).glob(f"{stem}-*.sqlite"))
    if existing and not window.fresh and not existing[-1].with_suffix(FINISHED).exists():
        return existing[-1].stem
    return f"{stem}-{len(existing) + 1:04d}"
