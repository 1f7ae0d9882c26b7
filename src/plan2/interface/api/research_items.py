"""Research as REST answers it: times in microseconds UTC, everything else as it is kept."""

from typing import Any, Literal

import msgspec

from plan2.foundation.errors import InputError
from plan2.intelligence.research.detectors import Detection
from plan2.intelligence.research.diagnosis.finding import Finding
from plan2.intelligence.research.report import Chance, JudgedRun, Report
from plan2.intelligence.research.shelf import Shelf
from plan2.intelligence.research.stress import Stress
from plan2.intelligence.research.sweep_result import SweepResult
from plan2.intelligence.research.walk_forward import FoldRow, WalkForward
from plan2.intelligence.research.wish import Kind, Wish
from plan2.interface.screen import to_us


class DetectionItem(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of a flow with itself on cut or later quotes; `first_us` 0 = no difference."""

    check: Literal["look_ahead", "warm_up"]
    ok: bool | None
    at_us: int
    compared: int
    first_us: int
    says: str


class FoldItem(msgspec.Struct, frozen=True, kw_only=True):
    """One choice and the time after; see `walk_forward.FoldRow`."""

    train_start_us: int
    test_start_us: int
    test_end_us: int
    point: dict[str, float] | None
    inside: float | None
    outside: float | None
    net: float
    trades: int
    max_drawdown: float


class WalkItem(msgspec.Struct, frozen=True, kw_only=True):
    """A walk forward; `curve` is (microseconds UTC, sum of what was earned after)."""

    metric: str
    mode: str
    planned: int
    folds: list[FoldItem]
    curve: list[tuple[int, float]]
    net: float
    trades: int
    sharpe: float | None
    efficiency: float | None
    winning_folds: int


class ResearchOutline(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of research as lists show it.

    `state`: asked | running | done | damaged, as its report says. `job_id`: of the job that works
    on it now, "" when none does.
    """

    research_id: str
    kind: Kind | None
    flow: str
    symbol: str
    state: str
    job_id: str
    fraction: float
    written_us: int
    verdict: str
    serious: int
    warnings: int


class ResearchDetail(ResearchOutline, frozen=True, kw_only=True):
    """A piece of research with all that was found so far; None for what is not there (yet).

    `flow_text`, `ranges`, `parameters` and `seed` are what was asked for.
    """

    flow_text: str
    ranges: tuple[str, ...]
    parameters: dict[str, float]
    seed: int
    start_us: int
    end_us: int
    ticks: int
    data_id: str
    flow_digest: str
    code: str
    message: str
    run: JudgedRun | None
    sweep: SweepResult | None
    walk_forward: WalkItem | None
    stress: Stress | None
    chance: Chance | None
    detections: list[DetectionItem]
    findings: list[Finding]


class ResearchList(msgspec.Struct, frozen=True):
    """Research, the newest first."""

    items: list[ResearchOutline]


def outline_of(shelf: Shelf, research_id: str, job_id: str) -> ResearchOutline:
    """A piece of research as lists show it; a damaged one says so."""
    try:
        report = shelf.report(research_id)
        wish = shelf.wish(research_id)
    except InputError as error:
        return _outline(research_id, "damaged", str(error), job_id)
    if report is None:
        flow = wish.flow_of()
        asked = _outline(research_id, "asked", "", job_id)
        return msgspec.structs.replace(
            asked, kind=wish.kind, flow=flow.name, symbol=flow.source.symbol
        )
    return ResearchOutline(**_members(report, job_id))


def detail_of(shelf: Shelf, research_id: str, job_id: str) -> ResearchDetail:
    """A piece of research with all that was found so far.

    Raises:
        InputError: there is none, or a file of it is damaged.
    """
    wish, report = shelf.wish(research_id), shelf.report(research_id)
    if report is None:
        return ResearchDetail(
            **msgspec.structs.asdict(outline_of(shelf, research_id, job_id)),
            **_asked(wish), start_us=0, end_us=0, ticks=0, data_id="", flow_digest="", code="",
            message="", run=None, sweep=None, walk_forward=None, stress=None, chance=None,
            detections=[], findings=[],
        )  # fmt: skip
    walk = report.walk_forward
    return ResearchDetail(
        **_members(report, job_id),
        **_asked(wish),
        start_us=to_us(report.start_ns),
        end_us=to_us(report.end_ns),
        ticks=report.ticks,
        data_id=report.data_id,
        flow_digest=report.flow_digest,
        code=report.code,
        message=report.message,
        run=report.run,
        sweep=report.sweep,
        walk_forward=_walk(walk) if walk is not None else None,
        stress=report.stress,
        chance=report.chance,
        detections=[_detection(each) for each in report.detections],
        findings=list(report.findings),
    )


def _outline(research_id: str, state: str, verdict: str, job_id: str) -> ResearchOutline:
    return ResearchOutline(
        research_id=research_id, kind=None, flow="", symbol="", state=state, job_id=job_id,
        fraction=0.0, written_us=0, verdict=verdict, serious=0, warnings=0,
    )  # fmt: skip


def _members(report: Report, job_id: str) -> dict[str, Any]:  # members of several types
    found = [finding.severity for finding in report.findings]
    leaks = sum(each.ok is False for each in report.detections)
    return {
        "research_id": report.research_id,
        "kind": report.kind,
        "flow": report.flow_name,
        "symbol": report.symbol,
        "state": report.state,
        "job_id": job_id,
        "fraction": report.fraction,
        "written_us": to_us(report.written_ns),
        "verdict": report.verdict,
        "serious": found.count("serious") + leaks,
        "warnings": found.count("warning"),
    }


def _asked(wish: Wish) -> dict[str, Any]:  # members of several types
    return {
        "flow_text": wish.flow,
        "ranges": wish.ranges,
        "parameters": wish.parameters,
        "seed": wish.seed,
    }


def _walk(walk: WalkForward) -> WalkItem:
    return WalkItem(
        metric=walk.metric,
        mode=walk.mode,
        planned=walk.planned,
        folds=[_fold(fold) for fold in walk.folds],
        curve=[(to_us(at), value) for at, value in walk.curve],
        net=walk.net,
        trades=walk.trades,
        sharpe=walk.sharpe,
        efficiency=walk.efficiency,
        winning_folds=walk.winning_folds,
    )


def _fold(fold: FoldRow) -> FoldItem:
    return FoldItem(
        train_start_us=to_us(fold.train_start_ns),
        test_start_us=to_us(fold.test_start_ns),
        test_end_us=to_us(fold.test_end_ns),
        point=fold.point,
        inside=fold.inside,
        outside=fold.outside,
        net=fold.net,
        trades=fold.trades,
        max_drawdown=fold.max_drawdown,
    )


def _detection(found: Detection) -> DetectionItem:
    return DetectionItem(
        check=found.check,
        ok=found.ok,
        at_us=to_us(found.at_ns),
        compared=found.compared,
        first_us=to_us(found.first_ns),
        says=found.says,
    )
