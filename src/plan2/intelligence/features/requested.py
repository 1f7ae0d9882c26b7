"""Features on request: computed only where a user's set asks for them.

They cost time on every tick or look beyond the symbol's own ticks, so the catalogue of all engines
does without them. What they know of events and of other symbols is in `surroundings.py`.

Cross-symbol values follow the closes of bars that ended at least one bar before the bar in
progress. So the order in which two feeds interleave does not matter, live and replay agree, and a
value is one to two bars old. A pair is a symbol of two currency codes; gold and silver count as
currencies.
"""

from plan2.intelligence.features.catalog import Feature
from plan2.intelligence.features.catalog import feature_row as row

WINDOW = 120
"""Bars that cross-symbol values look back."""
STALE_BARS = 30
"""A peer's close older than this many bars is not known any more."""
DAY_MIN = 1_440.0

# fmt: off
OWN = (
    row("cci_20", "1", 19, "-inf..inf", "Lambert's commodity channel index, with the bar so far"),
    row("bars_since_gap", "bars", 0, "0..inf", "bars closed since the start or the last gap"),
    row("quote_unchanged", "s", 0, "0..inf", "seconds since bid or ask changed"),
    row("quote_crossed", "1", 0, "0..1", "1 where the ask is not above the bid"),
)
EVENTS = (  # of high impact for one of the symbol's currencies, as far as known at that minute
    row("minutes_to_event", "min", 0, "0..1440?", "until the next event that is scheduled"),
    row("minutes_since_event", "min", 0, "0..1440?", "since the last one"),
    row("events_next_day", "1", 0, "0..inf?", "how many are scheduled within 24 hours"),
    row("event_surprise", "1", 0, "0..inf?", "|published − expected| / usual, within a day"),
)
CROSS = (
    row("strength_base_60", "log", 62, "-1..1?", "move of the base currency in 60 bars"),
    row("strength_quote_60", "log", 62, "-1..1?", "the same of the quote currency"),
    row("strength_gap_60", "log", 62, "-1..1?", "strength_base_60 − strength_quote_60"),
    row("dollar_correlation_120", "1", 122, "-1..1?", "EW correlation with the dollar, by bars"),
)
PEER = (  # of one other symbol: `of(GBPUSD, return_5)`
    row("return_1", "log", 0, "-1..1?", "log return over 1 bar"),
    row("return_5", "log", 0, "-1..1?", "log return over 5 bars"),
    row("return_15", "log", 0, "-1..1?", "log return over 15 bars"),
    row("return_60", "log", 0, "-1..1?", "log return over 60 bars"),
)
# fmt: on
PEER_BARS = (1, 5, 15, 60)

REQUESTED: tuple[Feature, ...] = (*OWN, *EVENTS, *CROSS)
REQUESTED_GROUPS: dict[str, tuple[Feature, ...]] = {
    "on_request": OWN,
    "events": EVENTS,
    "cross": CROSS,
}
FIRST_EVENT, FIRST_CROSS, FIRST_PEER = len(OWN), len(OWN) + len(EVENTS), len(REQUESTED)


def peer_term(symbol: str, term: str) -> str:
    """The name of a peer's value among the terms of a set."""
    return f"{symbol}.{term}"


def peer_of(term: str) -> str:
    """The symbol that a term of a set is of; "" for terms of the own symbol and of all peers."""
    return term.rpartition(".")[0]


def peer_features(peers: tuple[str, ...]) -> tuple[Feature, ...]:
    """The values of every peer, in order."""
    return tuple(
        Feature(
            peer_term(symbol, each.field),
            each.unit,
            each.warmup,
            each.low,
            each.high,
            f"{each.meaning} of {symbol}",
            each.waits,
        )
        for symbol in peers
        for each in PEER
    )
