"""What the verbs of feature sets compute on: ticks of a symbol, of its peers, and the calendar."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np

from plan2.commands.options import say
from plan2.dataflow.archive import TickArchive
from plan2.dataflow.economic_calendar import FOR_EVER_NS, HIGH, Entry
from plan2.dataflow.importers.dataset import ImportOptions
from plan2.dataflow.importers.importing import read_ticks
from plan2.dataflow.server_clock import ServerClock
from plan2.dataflow.tick_merge import join_ticks
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_DAY, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.features.event_table import CalendarEvents
from plan2.intelligence.features.plan import FeaturePlan
from plan2.intelligence.features.sampled import SampledFeatures
from plan2.intelligence.features.set_check import Compute, random_walk
from plan2.intelligence.features.surroundings import PeerBoard, Surroundings
from plan2.intelligence.features.tables import instrument_of
from plan2.wiring.surroundings import calendar_of

NEWEST_DAYS = 5
WALK_TICKS = 40_000


@dataclass(frozen=True)
class Beside:
    """A symbol's engine, and what its features on request look at."""

    plan: FeaturePlan
    block: TickBlock
    peers: tuple[TickBlock, ...]
    entries: tuple[Entry, ...]

    def engine(self) -> FeatureEngine:
        """A cold engine with all peers and events beside it."""
        board = PeerBoard(
            {self.block.symbol, *(peer.symbol for peer in self.peers)},
            self.plan.bar_period_s,
            2 + max((_bars(peer, self.plan.bar_period_s) for peer in self.peers), default=0),
        )
        for peer in self.peers:
            board.take(peer)
        around = Surroundings(CalendarEvents(self.entries), board)
        return FeatureEngine(self.plan, instrument_of(self.block), around)

    def compute(self, part: TickBlock) -> SampledFeatures:
        """Rows at each bar close of some ticks, from a cold start."""
        return self.engine().step_block(part)

    def disturbed(self, after_ns: int, factor: float) -> Compute:
        """The same with other prices of peers and other news after a time."""
        peers = tuple(
            TickBlock(
                peer.symbol,
                peer.ts_ns,
                peer.bid * np.where(peer.ts_ns > after_ns, factor, 1.0),
                peer.ask * np.where(peer.ts_ns > after_ns, factor, 1.0),
            )
            for peer in self.peers
        )
        entries = tuple(
            each
            if each.published_ns <= after_ns
            else msgspec.structs.replace(each, published_ns=FOR_EVER_NS)
            for each in self.entries
            if each.known_from_ns <= after_ns
        )
        return replace(self, peers=peers, entries=entries).compute


def beside_of(folder: Path, plan: FeaturePlan, block: TickBlock, files: Iterable[Path]) -> Beside:
    """What a set looks at: files of ticks, else the archive, else random walks; the calendar kept.

    Raises:
        InputError: a file has no usable tick, or a peer is neither among them nor archived.
    """
    own = plan.feature_set
    if own is None or not own.asks_more:
        return Beside(plan, block, (), ())
    peers = own.peers if own.looks_across else ()
    entries = calendar_of(folder).entries(least=HIGH) if own.knows_events else ()
    given = {found.symbol: found for found in (_of_file(file, None) for file in files)}
    archive = TickArchive(folder / "archive")
    blocks = []
    for number, peer in enumerate(peers):
        if peer in given:
            blocks.append(given[peer])
        elif not archive.symbols() and not given:
            blocks.append(random_walk(peer, len(block), seed=2 + number))
        else:
            span = (int(block.ts_ns[0]) - NS_PER_DAY, int(block.ts_ns[-1]) + 1)
            blocks.append(archive.read(peer, *span))
            if len(blocks[-1]) == 0:
                raise InputError(
                    f"The set looks at {peer}, and nothing of it is archived for this time.",
                    remedy=f"Name a file of its ticks with --peer, or import {peer}.",
                )
    return Beside(plan, block, tuple(blocks), entries)


def ticks_of(folder: Path, file: Path | None, symbol: str | None) -> TickBlock:
    """Ticks of a file, else the newest days of the archive, else a random walk.

    Raises:
        InputError: the file has no usable tick, or nothing is archived for the symbol.
    """
    if file is not None:
        return _of_file(file, symbol)
    archive = TickArchive(folder / "archive")
    known = archive.symbols()
    if symbol is None and not known:
        say(f"No ticks are archived: a random walk of {WALK_TICKS:,} ticks is used.")
        return random_walk("EURUSD", WALK_TICKS)
    chosen = symbol or known[0]
    if chosen not in known:
        raise InputError(
            f"No ticks are archived for {chosen}; archived symbols: {', '.join(known) or 'none'}."
        )
    days = archive.coverage(chosen)[-NEWEST_DAYS:]
    start_ns = days[0].first_ts_ns // NS_PER_DAY * NS_PER_DAY
    say(f"Ticks of {chosen}, {days[0].day} to {days[-1].day}, are used.")
    return archive.read(chosen, start_ns)


def _of_file(file: Path, symbol: str | None) -> TickBlock:
    options = ImportOptions(symbol, ServerClock.parse("newyork+7"))
    parts = [batch.usable for batch in read_ticks(file, options)]
    if not any(map(len, parts)):
        raise InputError(f"{file}: there is no usable tick in it.")
    return join_ticks(parts[0].symbol, parts)


def _bars(block: TickBlock, period_s: int) -> int:
    return int((block.ts_ns[-1] - block.ts_ns[0]) // (period_s * 1_000_000_000)) + 1
