"""Merging ticks that may overlap: a union that counts, so that nothing is doubled or lost.

A feed may send the same quote several times within one instant. Of n equal (time, bid, ask) in
what is stored and m in what arrives, max(n, m) remain. So merging the same data again adds nothing.
Stored ticks keep their order; added ticks of the same instant follow them in their own order.
"""

from dataclasses import dataclass

import numpy as np

from plan2.foundation.values import Int64Array, TickBlock


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What a merge did, in ticks.

    added + duplicates = ticks given. interleaved: where both the store and the given block have
    ticks that the other lacks within the same stretch of time, the smaller of the two counts;
    more than a few mean that two different feeds were mixed.
    """

    added: int = 0
    duplicates: int = 0
    interleaved: int = 0

    def plus(self, other: "MergeResult") -> "MergeResult":
        """Both merges taken together."""
        return MergeResult(
            self.added + other.added,
            self.duplicates + other.duplicates,
            self.interleaved + other.interleaved,
        )


def join_ticks(symbol: str, parts: list[TickBlock]) -> TickBlock:
    """Consecutive blocks as one; an empty block for no parts."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return TickBlock(symbol, np.empty(0, np.int64), np.empty(0), np.empty(0))
    return TickBlock(
        symbol,
        np.concatenate([part.ts_ns for part in parts]),
        np.concatenate([part.bid for part in parts]),
        np.concatenate([part.ask for part in parts]),
    )


def merge_ticks(stored: TickBlock, given: TickBlock) -> tuple[TickBlock, MergeResult]:
    """The union of two sorted blocks, and what it added; `given` must not be empty."""
    start = int(np.searchsorted(stored.ts_ns, given.ts_ns[0], side="left"))
    stop = int(np.searchsorted(stored.ts_ns, given.ts_ns[-1], side="right"))
    before, after = stored.slice(0, start), stored.slice(stop, len(stored))
    window = stored.slice(start, stop)
    if len(window) == 0:
        parts = [part for part in (before, given, after) if len(part)]
        return join_ticks(stored.symbol, parts), MergeResult(added=len(given))
    kept, unmatched = _not_in(window, given)
    result = MergeResult(len(kept), len(given) - len(kept), min(len(kept), unmatched))
    if len(kept) == 0:
        return stored, result
    added = TickBlock(given.symbol, given.ts_ns[kept], given.bid[kept], given.ask[kept])
    middle = _in_time_order(join_ticks(stored.symbol, [window, added]))
    return join_ticks(stored.symbol, [before, middle, after]), result


def _not_in(window: TickBlock, given: TickBlock) -> tuple[Int64Array, int]:
    """Rows of `given` that `window` lacks, and how many of `window` have no match in `given`."""
    if len(window) == len(given) and _equal(window, given):
        return np.empty(0, np.int64), 0
    both = join_ticks(given.symbol, [window, given])
    # Stable, so that among equal quotes the stored ones come first, each side in its own order.
    order = np.lexsort((both.ask, both.bid, both.ts_ns))
    ts_ns, bid, ask = both.ts_ns[order], both.bid[order], both.ask[order]
    is_new_quote = np.ones(len(both), bool)
    is_new_quote[1:] = (np.diff(ts_ns) != 0) | (bid[1:] != bid[:-1]) | (ask[1:] != ask[:-1])
    first = np.flatnonzero(is_new_quote)
    group = np.cumsum(is_new_quote) - 1
    is_stored = order < len(window)
    stored_of = np.add.reduceat(is_stored.astype(np.int64), first)
    given_of = np.diff(first, append=len(both)) - stored_of
    occurrence = np.arange(len(both)) - first[group] - stored_of[group]
    is_extra = ~is_stored & (occurrence >= stored_of[group])
    unmatched = int(np.maximum(stored_of - given_of, 0).sum())
    return np.sort(order[is_extra]) - len(window), unmatched


def _equal(left: TickBlock, right: TickBlock) -> bool:
    return bool(
        (left.ts_ns == right.ts_ns).all()
        and (left.bid == right.bid).all()
        and (left.ask == right.ask).all()
    )


def _in_time_order(block: TickBlock) -> TickBlock:
    order = np.argsort(block.ts_ns, kind="stable")
    return TickBlock(block.symbol, block.ts_ns[order], block.bid[order], block.ask[order])
