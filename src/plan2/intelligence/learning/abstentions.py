"""What a week's abstentions would have brought, had they been acted upon (ML-012)."""

import datetime as dt

from plan2.foundation.events.learning import AbstentionsReported
from plan2.foundation.values import NS_PER_DAY, NS_PER_SECOND
from plan2.intelligence.learning.tracking import Scored, Track


def week_of(ts_ns: int) -> str:
    """ISO week, as 2024-W03."""
    year, week, _ = dt.datetime.fromtimestamp(ts_ns // NS_PER_SECOND, dt.UTC).isocalendar()
    return f"{year}-W{week:02d}"


def report_of(
    symbol: str, candidate_id: str, track: Track, now_ns: int
) -> AbstentionsReported | None:
    """The week before the one of `now_ns`; None when nothing was resolved in it."""
    week = week_of(now_ns - 7 * NS_PER_DAY)
    scored = [each for each in track.since(now_ns - 14 * NS_PER_DAY) if week_of(each.t0) == week]
    if not scored:
        return None
    abstained: list[Scored] = [each for each in scored if not each.is_acted]
    value = sum(each.result for each in abstained)
    return AbstentionsReported(
        ts_ns=now_ns,
        symbol=symbol,
        candidate_id=candidate_id,
        week=week,
        sampled=len(scored),
        abstained=len(abstained),
        value_r=value,
        value_r_mean=value / len(abstained) if abstained else 0.0,
    )
