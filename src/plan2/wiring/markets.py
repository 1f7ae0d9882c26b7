"""Opens the market that a run trades on: the simulated one, or a replay of imported ticks.

Everything of the simulated market (ticks, models, feature state) has a home of its own in the data
folder, so that it can never be taken for, or trained together with, real data.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.sources import RecordedSource
from plan2.dataflow.terminals.simulated.opening import (
    FOLDER,
    PaperAccount,
    account_path,
    open_recorded,
    open_synthetic,
)
from plan2.dataflow.terminals.simulated.terminal import SimulatedTerminal
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import InputError

SIMULATED = "simulated"
REPLAY = "replay"
FINISHED = ".finished"


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """A market and the paper account on it, ready to play.

    `home` is the folder with the market's ticks and models; `speed` None = as fast as it goes.
    """

    mode: str
    account_id: str
    symbols: tuple[str, ...]
    home: Path
    terminal: SimulatedTerminal
    speed: float | None
    finished: Path | None = None

    @property
    def label(self) -> str:
        """How the market is named to a person."""
        pace = "full speed" if self.speed is None else f"{self.speed:g} × real time"
        if self.mode == SIMULATED:
            return f"SIMULATED market at {pace}"
        return f"REPLAY of {', '.join(self.symbols)} at {pace}"


class ReplayWindow(msgspec.Struct, frozen=True, kw_only=True):
    """What is replayed; times UTC nanoseconds, None = as far as the archive goes."""

    symbols: tuple[str, ...]
    start_ns: int | None = None
    end_ns: int | None = None
    speed: float | None = 10.0
    fresh: bool = False


def simulated_home(data_dir: Path) -> Path:
    """The simulated market's own data folder."""
    return data_dir / FOLDER


def open_simulated(settings: Settings, data_dir: Path, gate: Callable[[], bool]) -> Market:
    """The synthetic market, where the paper account left it; `gate` false makes it wait."""
    paper = PaperAccount(account="paper", data_dir=data_dir, gate=gate)
    symbols = settings.market.symbols
    return Market(
        mode=SIMULATED,
        account_id="paper",
        symbols=symbols,
        home=simulated_home(data_dir),
        terminal=open_synthetic(settings.simulated, symbols, paper),
        speed=settings.simulated.speed,
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
        account_id=account,
        symbols=window.symbols,
        home=data_dir,
        terminal=open_recorded(simulated, recording, paper),
        speed=window.speed,
        finished=account_path(data_dir, account).with_suffix(FINISHED),
    )


def open_backtest(settings: Settings, data_dir: Path, window: ReplayWindow) -> Market:
    """Imported ticks as fast as they go, and an account in memory."""
    recording = recorded(TickArchive(data_dir / "archive"), window)
    paper = PaperAccount(name="backtest", account="backtest", is_paced=False)
    return Market(
        mode="backtest",
        account_id="backtest",
        symbols=window.symbols,
        home=data_dir,
        terminal=open_recorded(settings.simulated, recording, paper),
        speed=None,
    )


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
