"""Pairs the trades of a live day with those of its replay, and says why they differ.

Two trades belong together when they were decided on the same side at the same time, or else within
a tolerance, nearest first. A difference in price has three parts, per side of the trade: how far
the market's middle moved between the two moments of filling (latency), how much the spread changed
in between (spread), and what the live fill was away from the recorded quote (slippage). The largest
part is the cause. Where the broker refused an exit in between, that is. Of trades that were open at
the end of the day the entries are compared.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from plan2.foundation.events.flows import DifferencePart
from plan2.intelligence.comparison.trades import LiveDay, SeenTrade

SAME_PRICE: Final = 1e-9
LATENCY, SPREAD, SLIPPAGE, SIZE = "latency", "spread", "slippage", "size"
REJECT, MISSING_TICK, OTHERWISE, COST = "reject", "missing_tick", "decided_otherwise", "cost"
MODELS_GONE: Final = "models_gone"

Quote = Callable[[int], tuple[float, float] | None]
"""Bid and ask as recorded, of the newest tick at or before a time (UTC ns)."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """A live day beside its replay; money in account currency."""

    live_trades: int
    replay_trades: int
    paired: int
    live_net: str
    replay_net: str
    causes: dict[str, int]
    differences: tuple[DifferencePart, ...]


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What differences are judged by.

    `was_seen`: whether live may have decided upon a tick of that time; `pip`: of the symbol;
    `tolerance_ns`: how far apart two decisions may lie that belong together; `gone`: which models
    decided live at a time and cannot be asked again, by their ids, "" for none.
    """

    quote: Quote
    was_seen: Callable[[int], bool]
    pip: float
    tolerance_ns: int
    gone: Callable[[int], str] = lambda _: ""


def compare(live: LiveDay, replayed: Sequence[SeenTrade], ground: Ground) -> Comparison:
    """Every trade of both, paired, with the cause of each difference."""
    pairs = pair(live.trades, replayed, ground.tolerance_ns)
    found = [part for pair_ in pairs if (part := _difference(pair_, live, ground)) is not None]
    return Comparison(
        live_trades=len(live.trades),
        replay_trades=len(replayed),
        paired=sum(left is not None and right is not None for left, right in pairs),
        live_net=str(sum((each.net for each in live.trades), Decimal(0))),
        replay_net=str(sum((each.net for each in replayed), Decimal(0))),
        causes=dict(Counter(part.cause for part in found)),
        differences=tuple(found[:100]),
    )


Pair = tuple[SeenTrade | None, SeenTrade | None]


def pair(live: Sequence[SeenTrade], replayed: Sequence[SeenTrade], tolerance_ns: int) -> list[Pair]:
    """Live trades beside replayed ones, by time; None where there is no partner."""
    near = sorted(
        (abs(a.decided_ns - b.decided_ns), i, k)
        for i, a in enumerate(live)
        for k, b in enumerate(replayed)
        if a.side == b.side and abs(a.decided_ns - b.decided_ns) <= tolerance_ns
    )
    partner_of: dict[int, int] = {}
    taken: set[int] = set()
    for _, i, k in near:
        if i not in partner_of and k not in taken:
            partner_of[i] = k
            taken.add(k)
    pairs: list[Pair] = [
        (trade, replayed[partner_of[i]] if i in partner_of else None)
        for i, trade in enumerate(live)
    ]
    pairs += [(None, trade) for k, trade in enumerate(replayed) if k not in taken]
    return sorted(pairs, key=_opened)


def _opened(pair_: Pair) -> int:
    known = pair_[0] or pair_[1]
    return known.opened_ns if known is not None else 0


def _difference(pair_: Pair, live: LiveDay, ground: Ground) -> DifferencePart | None:
    """What differs and why; models that can no longer be asked explain another decision."""
    found = _found(pair_, live, ground)
    if found is None or found.cause not in {OTHERWISE, LATENCY}:
        return found
    models = next((ids for ts_ns in _moments(pair_) if (ids := ground.gone(ts_ns))), "")
    if not models:
        return found
    detail = f"decided live by models that are no longer kept: {models}"
    return msgspec.structs.replace(found, cause=MODELS_GONE, detail=detail)


def _moments(pair_: Pair) -> list[int]:
    """When a pair came apart: at the entry that one of them lacks, else at their exits."""
    known = [each for each in pair_ if each is not None]
    if len(known) == 1:
        return [known[0].decided_ns]
    return [each.closed_ns for each in known if each.closed_ns]


def _found(pair_: Pair, live: LiveDay, ground: Ground) -> DifferencePart | None:
    seen, replayed = pair_
    if seen is None and replayed is not None:
        return _part(pair_, *_why_missing(replayed, live, ground))
    if seen is not None and replayed is None:
        return _part(pair_, OTHERWISE, "traded live and not in the replay")
    if seen is None or replayed is None:
        return None
    if seen.lots != replayed.lots:
        detail = f"{seen.lots:g} lots live, {replayed.lots:g} in the replay"
        return _part(pair_, SIZE, detail)
    if bool(seen.closed_ns) != bool(replayed.closed_ns):
        where = ("in the replay", "live") if replayed.closed_ns else ("live", "in the replay")
        return _part(pair_, OTHERWISE, f"closed {where[0]}, still open {where[1]} at the end")
    cause, detail = _price_cause(seen, replayed, ground)
    if cause:
        refused = _refused_exit(seen, replayed, live)
        return _part(pair_, *(refused or (cause, detail)))
    if seen.net != replayed.net:
        return _part(pair_, COST, "same prices, other commission or swap")
    return None


def _refused_exit(seen: SeenTrade, replayed: SeenTrade, live: LiveDay) -> tuple[str, str] | None:
    """The refusal that kept a position open longer than in the replay."""
    for refused in live.refused_exits:
        if seen.opened_ns < refused.decided_ns <= replayed.closed_ns < seen.closed_ns:
            return REJECT, f"the broker refused the exit: {refused.reason}"
    return None


def _why_missing(replayed: SeenTrade, live: LiveDay, ground: Ground) -> tuple[str, str]:
    """Why the replay traded and live did not."""
    for refused in live.refused:
        if abs(refused.decided_ns - replayed.decided_ns) <= ground.tolerance_ns:
            return REJECT, f"the broker refused the entry: {refused.reason}"
    for denied in live.denied:
        if abs(denied.decided_ns - replayed.decided_ns) <= ground.tolerance_ns:
            return OTHERWISE, f"the risk gate denied it live: {denied.reason}"
    if not ground.was_seen(replayed.decided_ns):
        return MISSING_TICK, "the tick of the decision was not seen live"
    return OTHERWISE, "traded in the replay and not live"


def _price_cause(seen: SeenTrade, replayed: SeenTrade, ground: Ground) -> tuple[str, str]:
    """The largest part of what the prices cost live beyond the replay; "" without a difference."""
    entry = _parts(
        (seen.opened_ns, seen.open_price),
        (replayed.opened_ns, replayed.open_price),
        seen.side,
        ground,
    )
    total = entry
    if seen.closed_ns and replayed.closed_ns:
        leaving = _parts(
            (seen.closed_ns, seen.close_price),
            (replayed.closed_ns, replayed.close_price),
            -seen.side,
            ground,
        )
        total = {name: entry[name] + leaving[name] for name in entry}
    cause = max(total, key=lambda name: abs(total[name]))
    if abs(total[cause]) <= SAME_PRICE:
        return "", ""
    pips = ", ".join(f"{name} {value / ground.pip:+.2f}" for name, value in total.items())
    return cause, f"pips against us: {pips}"


def _parts(
    seen: tuple[int, float], replayed: tuple[int, float], side: int, ground: Ground
) -> dict[str, float]:
    """What a fill cost live beyond the replay, in price: against us is positive."""
    whole = side * (seen[1] - replayed[1])
    now, then = ground.quote(seen[0]), ground.quote(replayed[0])
    if now is None or then is None:
        return {LATENCY: 0.0, SPREAD: 0.0, SLIPPAGE: whole}
    middle = side * (sum(now) - sum(then)) / 2
    spread = ((now[1] - now[0]) - (then[1] - then[0])) / 2
    return {LATENCY: middle, SPREAD: spread, SLIPPAGE: whole - middle - spread}


def _part(pair_: Pair, cause: str, detail: str) -> DifferencePart:
    seen, replayed = pair_
    return DifferencePart(
        cause=cause,
        detail=detail,
        opened_us=_opened(pair_) // 1000,
        live_net=str(seen.net) if seen is not None else None,
        replay_net=str(replayed.net) if replayed is not None else None,
    )
