"""Detectors for features that know the future, need more past than they declare, or say nothing.

- look-ahead: later ticks are changed at random moments; nothing before may change, to the bit.
- warm-up: the engine is started anew in the middle; after the declared warm-up every column must
  have a value where the long run has one. How long it takes until the value agrees with the long
  run within 1 % of the column's usual range is told, because averages forget slowly.
- values: never defined, never changing, outside of the declared range, or twice the same column.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_MS, Float64Array, TickBlock
from plan2.intelligence.features.plan import FeaturePlan
from plan2.intelligence.features.sampled import SampledFeatures

MOMENTS = 12
RESTART_AT = 0.4
AGREEMENT = 0.01
MONDAY_NS = 1_704_672_000_000_000_000

Compute = Callable[[TickBlock], SampledFeatures]
"""Rows at each bar close, from a cold start."""


Disturbed = Callable[[int, float], Compute]
"""Computes with what lies beside the ticks changed after a time: by this factor, or left out."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong, or worth knowing."""

    feature: str
    severity: Literal["error", "warning", "note"]
    text: str


class ColumnReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen of a column; `settles_after_bars` is None when it could not be seen.

    `low` and `high` are the extremes, None for a column without any value.
    """

    name: str
    unit: str
    warmup_bars: int
    settles_after_bars: int | None
    undefined_share: float
    low: float | None
    high: float | None


class CheckReport(msgspec.Struct, frozen=True, kw_only=True):
    """The result; a set may be used when no finding is an error."""

    schema_id: str
    symbol: str
    ticks: int
    bars: int
    columns: tuple[ColumnReport, ...]
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return all(finding.severity != "error" for finding in self.findings)


def check_features(
    plan: FeaturePlan,
    compute: Compute,
    block: TickBlock,
    seed: int = 1,
    disturbed: Disturbed | None = None,
) -> CheckReport:
    """Run all detectors over the ticks of one symbol.

    `disturbed` changes other symbols and events after a time as well, where a set looks at them.

    Raises:
        InputError: the ticks close too few bars to tell.
    """
    whole = compute(block)
    needed = 3 * plan.warmup_bars
    if len(whole) < needed:
        raise InputError(
            f"{len(block)} ticks of {block.symbol} close {len(whole)} bars; the check needs "
            f"{needed}.",
            remedy="Give more ticks, or shorter bars.",
        )
    changing = disturbed or (lambda _ts_ns, _factor: compute)
    findings = _ahead(plan, changing, block, whole, np.random.default_rng(seed))
    settled, cold = _restart(plan, compute, block, whole)
    findings += cold
    columns = []
    for number, feature in enumerate(plan.features):
        values = whole.values[:, number]
        findings += _values(plan, number, values)
        columns.append(
            _report(feature.field, feature.unit, feature.warmup, values, settled[number])
        )
    findings += _twins(plan, whole.values)
    return CheckReport(
        schema_id=plan.schema_id,
        symbol=block.symbol,
        ticks=len(block),
        bars=len(whole),
        columns=tuple(columns),
        findings=tuple(findings),
    )


def _ahead(
    plan: FeaturePlan,
    disturbed: Disturbed,
    block: TickBlock,
    whole: SampledFeatures,
    rng: np.random.Generator,
) -> list[Finding]:
    """Columns whose past changes when later ticks do."""
    leaking: set[int] = set()
    for row in rng.integers(len(whole) // 4, len(whole) - 1, MOMENTS):
        later = block.ts_ns > whole.ts_ns[row]
        factor = np.where(later, rng.uniform(0.97, 1.03), 1.0)
        compute = disturbed(int(whole.ts_ns[row]), float(rng.uniform(0.97, 1.03)))
        changed = compute(
            TickBlock(block.symbol, block.ts_ns, block.bid * factor, block.ask * factor)
        )
        past = slice(0, int(row) + 1)
        differs = _words(whole.values[past]) != _words(changed.values[past])
        leaking.update(np.flatnonzero(differs.any(axis=0)).tolist())
    return [
        Finding(
            feature=plan.names[number],
            severity="error",
            text="knows the future: its past values change when later ticks do.",
        )
        for number in sorted(leaking)
    ]


def _restart(
    plan: FeaturePlan, compute: Compute, block: TickBlock, whole: SampledFeatures
) -> tuple[list[int | None], list[Finding]]:
    """Bars until each column agrees with the long run, and columns that stay undefined."""
    fresh = compute(block.slice(int(len(block) * RESTART_AT), len(block)))
    long = whole.values[-len(fresh) :]
    settled: list[int | None] = []
    findings = []
    for number, feature in enumerate(plan.features):
        ours, theirs = fresh.values[:, number], long[:, number]
        known = np.isfinite(theirs)
        apart = known & ~(np.abs(ours - theirs) <= AGREEMENT * _usual_range(theirs[known]))
        last = int(np.flatnonzero(apart)[-1]) + 1 if apart.any() else 0
        settled.append(None if last == len(fresh) else last)
        warm = slice(feature.warmup + 1, None)
        if not feature.waits and (np.isnan(ours[warm]) & known[warm]).any():
            findings.append(
                Finding(
                    feature=feature.field,
                    severity="error",
                    text=f"is still undefined after its declared warm-up of {feature.warmup} bars.",
                )
            )
        elif last > feature.warmup + 1:
            findings.append(_slow(feature.field, feature.warmup, settled[-1], len(fresh)))
    return settled, findings


def _usual_range(values: Float64Array) -> float:
    """From the lower to the upper quartile; of a column that hardly moves, its whole range."""
    if len(values) == 0:
        return 0.0
    lower, upper = np.percentile(values, [25, 75])
    return float(upper - lower) or float(np.ptp(values))


def _slow(name: str, warmup: int, settles: int | None, bars: int) -> Finding:
    until = f"only after {settles} bars" if settles is not None else f"not within {bars} bars"
    return Finding(
        feature=name,
        severity="note",
        text=f"declares {warmup} bars of warm-up; after a new start it agrees with a long run "
        f"{until}.",
    )


def _values(plan: FeaturePlan, number: int, values: Float64Array) -> list[Finding]:
    feature = plan.features[number]
    known = values[np.isfinite(values)]
    if len(known) == 0:
        severity: Literal["error", "note"] = "note" if feature.waits else "error"
        text = "has no value in these ticks."
    elif known.min() < feature.low or known.max() > feature.high:
        severity = "error"
        text = (
            f"lies in {known.min():g}..{known.max():g}, declared is {feature.low:g}.."
            f"{feature.high:g}."
        )
    elif known.min() == known.max():
        return [Finding(feature=feature.field, severity="warning", text="never changes.")]
    else:
        return []
    return [Finding(feature=feature.field, severity=severity, text=text)]


def _twins(plan: FeaturePlan, values: Float64Array) -> list[Finding]:
    first: dict[bytes, str] = {}
    found = []
    for number, name in enumerate(plan.names):
        twin = first.setdefault(np.ascontiguousarray(values[:, number]).tobytes(), name)
        if twin != name and np.isfinite(values[:, number]).any():
            found.append(Finding(feature=name, severity="warning", text=f"is the same as {twin}."))
    return found


def _report(
    name: str, unit: str, warmup: int, values: Float64Array, settled: int | None
) -> ColumnReport:
    known = values[np.isfinite(values)]
    return ColumnReport(
        name=name,
        unit=unit,
        warmup_bars=warmup,
        settles_after_bars=settled,
        undefined_share=1.0 - len(known) / max(len(values), 1),
        low=float(known.min()) if len(known) else None,
        high=float(known.max()) if len(known) else None,
    )


def _words(values: Float64Array) -> npt.NDArray[np.uint64]:
    return np.ascontiguousarray(values).view(np.uint64)


def save_report(data_dir: Path, report: CheckReport) -> None:
    """Keep the result for those who look at the features later; the newest one counts."""
    file = _report_file(data_dir, report.schema_id)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(report))
    fresh.replace(file)


def saved_report(data_dir: Path, schema_id: str) -> CheckReport | None:
    """The last result for features of this identity; None when they were never checked."""
    try:
        content = _report_file(data_dir, schema_id).read_bytes()
        return msgspec.json.decode(content, type=CheckReport)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _report_file(data_dir: Path, schema_id: str) -> Path:
    return data_dir / "feature_checks" / f"{schema_id}.json"


def random_walk(symbol: str, ticks: int, seed: int = 1) -> TickBlock:
    """Ticks without any structure, a few seconds apart on a grid of 1e-5, to check features on."""
    rng = np.random.default_rng(seed)
    waits_ns = (1 + rng.exponential(3_000.0, ticks).astype(np.int64)) * NS_PER_MS
    bid = np.round(1.1 + np.cumsum(rng.normal(0.0, 2e-5, ticks)), 5).astype(np.float64)
    ask = np.round(bid + rng.integers(3, 14, ticks) * 1e-5, 5).astype(np.float64)
    return TickBlock(symbol, MONDAY_NS + np.cumsum(waits_ns), bid, ask)
