"""What lanes look at beside their ticks: the economic calendar, and closes of other symbols."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from plan2.dataflow.archive import TickArchive
from plan2.dataflow.bar_archive import BarArchive
from plan2.dataflow.economic_calendar import HIGH, LOW, EconomicCalendar
from plan2.foundation.config.load import data_dir
from plan2.foundation.config.schema import Settings
from plan2.foundation.errors import InputError
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND, TickBlock
from plan2.intelligence.decision.schedule import Schedule
from plan2.intelligence.features.event_table import CalendarEvents
from plan2.intelligence.features.plan import FeaturePlan
from plan2.intelligence.features.requested import STALE_BARS, WINDOW
from plan2.intelligence.features.surroundings import PeerBoard, Surroundings
from plan2.intelligence.training.from_bars import ticks_of_bars
from plan2.wiring.contracts import contracts_of
from plan2.wiring.feature_plan import installation_of

DAY_S = 86_400
WEEKEND_NS = 4 * NS_PER_DAY


class Span(NamedTuple):
    """Which part of an archive: UTC ns, and 0 for ticks or the period of archived bars."""

    start_ns: int
    end_ns: int
    bars_s: int = 0


def calendar_of(folder: Path) -> EconomicCalendar:
    """The economic calendar of a data folder; the simulated market has its installation's."""
    return EconomicCalendar(installation_of(folder) / "calendar")


def live_surroundings(
    settings: Settings, plan: FeaturePlan, symbols: Iterable[str]
) -> Surroundings:
    """For the lanes of a market: a board that they fill themselves, and today's calendar."""
    own = plan.feature_set
    if own is None or not own.asks_more:
        return Surroundings()
    board = PeerBoard(symbols, plan.bar_period_s) if own.looks_across else None
    return Surroundings(_events(data_dir(settings), plan), board)


def archived_surroundings(
    folder: Path, plan: FeaturePlan, symbols: Iterable[str], span: Span
) -> Surroundings:
    """For engines that walk through an archive: the closes of all peers, whole.

    Raises:
        InputError: a peer is not archived.
    """
    absent = absent_peers(folder, plan, _with_lead(plan, span))
    if absent:
        raise InputError(
            f"The feature set looks at {', '.join(absent)}, and nothing of it is archived for this "
            "time.",
            remedy="Bring its ticks or bars in with `plan2 import FILE…`.",
        )
    return surroundings_there(folder, plan, symbols, span)


def surroundings_there(
    folder: Path, plan: FeaturePlan, symbols: Iterable[str], span: Span
) -> Surroundings:
    """The same with what is archived: what looks at a peer that is not is NaN."""
    own = plan.feature_set
    if own is None or not own.asks_more:
        return Surroundings()
    board = _board(folder, plan, symbols, span) if own.looks_across else None
    return Surroundings(_events(folder, plan), board)


def absent_peers(folder: Path, plan: FeaturePlan, span: Span) -> tuple[str, ...]:
    """The peers that a plan's features look at and of which nothing is archived for a span."""
    own = plan.feature_set
    if own is None or not own.looks_across:
        return ()
    return tuple(peer for peer in own.peers if _days(folder, peer, span) == 0)


def calendar_alone(folder: Path, plan: FeaturePlan) -> Surroundings:
    """The calendar as it is kept now, without other symbols."""
    return Surroundings(_events(folder, plan))


def schedules_of(folder: Path, contracts: Mapping[str, Instrument]) -> dict[str, Schedule]:
    """The events of both currencies of each symbol; which of them count is an account's choice."""
    entries = calendar_of(folder).entries(least=LOW)
    return {
        symbol: Schedule(each for each in entries if each.currency in {one.base, one.quote})
        for symbol, one in contracts.items()
    }


def _events(folder: Path, plan: FeaturePlan) -> CalendarEvents | None:
    own = plan.feature_set
    if own is None or not own.knows_events:
        return None
    return CalendarEvents(calendar_of(folder).entries(least=HIGH))


def _board(folder: Path, plan: FeaturePlan, symbols: Iterable[str], span: Span) -> PeerBoard:
    """The closes of peers and of the symbols themselves, from so long before that all is known."""
    peers = plan.feature_set.peers if plan.feature_set is not None else ()
    whole = _with_lead(plan, span)
    rows = sorted({*peers, *symbols})
    days = {symbol: _days(folder, symbol, whole) for symbol in rows}
    most = (max(days.values()) + 2) * DAY_S // plan.bar_period_s
    board = PeerBoard(rows, plan.bar_period_s, most)
    for symbol in rows:
        if days[symbol]:
            for block in _ticks(folder, symbol, whole):
                board.take(block)
    return board


def _with_lead(plan: FeaturePlan, span: Span) -> Span:
    """A span from so long before it that all features are known at its start."""
    lead_ns = max(WEEKEND_NS, (WINDOW + STALE_BARS) * plan.bar_period_s * NS_PER_SECOND)
    return Span(max(0, span.start_ns - lead_ns), span.end_ns, span.bars_s)


def _days(folder: Path, symbol: str, span: Span) -> int:
    """How many days of a symbol are archived in a span."""
    archive = folder / "archive"
    if span.bars_s:
        bars = BarArchive(archive).read(symbol, span.bars_s, span.start_ns, span.end_ns)
        return len(bars) * span.bars_s // DAY_S + 1 if len(bars) else 0
    return sum(
        1
        for day in TickArchive(archive).coverage(symbol)
        if day.last_ts_ns >= span.start_ns and day.first_ts_ns < span.end_ns
    )


def _ticks(folder: Path, symbol: str, span: Span) -> Iterator[TickBlock]:
    if not span.bars_s:
        yield from TickArchive(folder / "archive").iter_days(symbol, span.start_ns, span.end_ns)
        return
    bars = BarArchive(folder / "archive").read(symbol, span.bars_s, span.start_ns, span.end_ns)
    yield ticks_of_bars(bars, contracts_of(folder, [symbol])[symbol])
