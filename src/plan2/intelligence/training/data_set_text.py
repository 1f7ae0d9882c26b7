"""A data set as people read it: one line in a list, or all that it says of itself."""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.training.data_sets import DataSetManifest


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A data set in the list; `rows` can be trained on, `n_eff` of them are independent."""

    name: str
    source: str
    symbols: tuple[str, ...]
    feature_set: str
    horizon_minutes: int
    events: int
    untradeable: int
    rows: int
    n_eff: float
    hash: str

    def __str__(self) -> str:
        return (
            f"{self.name:<20} {','.join(self.symbols):<24} {self.rows:>8,} rows "
            f"(n_eff {self.n_eff:,.0f}) of {self.events:,} events, {self.untradeable:,} "
            f"untradeable; {self.horizon_minutes} min, {self.feature_set}, from {self.source}, "
            f"{self.hash[:12]}"
        )


def summary_of(manifest: DataSetManifest) -> Summary:
    """The line of a data set in a list."""
    parts = manifest.symbols.values()
    return Summary(
        name=manifest.name,
        source=manifest.source,
        symbols=tuple(manifest.symbols),
        feature_set=manifest.feature_set or "default",
        horizon_minutes=manifest.rules.horizon_s // 60,
        events=sum(part.counts["events"] for part in parts),
        untradeable=sum(part.counts["untradeable"] for part in parts),
        rows=manifest.rows,
        n_eff=round(manifest.n_eff, 1),
        hash=manifest.hash,
    )


def lines_of(manifest: DataSetManifest) -> Iterator[str]:
    """Everything worth reading about a data set."""
    rules = manifest.rules
    yield str(summary_of(manifest))
    yield f"features    {len(manifest.feature_names)}, schema {manifest.schema_id[:12]}"
    yield (
        f"labels      version {rules.version}, {rules.horizon_s // 60} min, barrier "
        f"{rules.barrier_sigmas:g} σ, latency {rules.latency_ms} ms, bars of {rules.bar_period_s} s"
    )
    yield f"code        {manifest.code_hash[:12]}"
    for symbol, part in manifest.symbols.items():
        counts = ", ".join(f"{count:,} {name}" for name, count in part.counts.items())
        yield (
            f"{symbol:<11} {_day(part.first_ts_ns)} to {_day(part.last_ts_ns)}: {counts}; "
            f"{part.rows:,} rows, n_eff {part.n_eff:,.0f}; ticks {part.tick_hash[:12]}"
        )
    for name, digest in manifest.sources.items():
        yield f"looked at   {name}: {digest[:12]}"
    if manifest.planted:
        yield f"planted     {manifest.planted}: no evidence about a real market"
    if manifest.source == "bars":
        yield "Made of bars: rates and directions of quotes mean nothing, both orders were judged."


def _day(ts_ns: int) -> str:
    return f"{datetime.fromtimestamp(ts_ns // NS_PER_SECOND, UTC):%Y-%m-%d}"
