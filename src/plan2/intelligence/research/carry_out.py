"""Carries out a wish: the runs, then chance, detectors and diagnosis on what came of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from plan2.foundation.clock import Clock
from plan2.foundation.errors import InputError
from plan2.foundation.values import NS_PER_SECOND
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.flows.flow import flow_digest
from plan2.intelligence.research.detectors import detect
from plan2.intelligence.research.diagnosis.diagnose import diagnose
from plan2.intelligence.research.diagnosis.finding import Evidence
from plan2.intelligence.research.random_entries import entry_significance
from plan2.intelligence.research.ranges import Point
from plan2.intelligence.research.report import Chance, JudgedRun, Report
from plan2.intelligence.research.resampling import drawn_in_blocks, shuffled, with_skips
from plan2.intelligence.research.shelf import Shelf
from plan2.intelligence.research.stitching import joined
from plan2.intelligence.research.stress import Stress, net_of, stressed
from plan2.intelligence.research.subject import AS_WRITTEN, Subject, Window
from plan2.intelligence.research.sweep import Question, Sweep
from plan2.intelligence.research.sweep_result import sweep_result
from plan2.intelligence.research.trial_ledger import TrialLedger, Tried, question_of
from plan2.intelligence.research.trial_workers import TrialWorkers
from plan2.intelligence.research.volatility import daily_ranges
from plan2.intelligence.research.walk_forward import FoldRow, walk_forward, walk_so_far
from plan2.intelligence.research.wish import Wish

PARTIAL_EVERY_NS: Final = 2 * NS_PER_SECOND
RUNS_SHARE: Final = 0.9
"""Share of the progress that the runs themselves are; the rest is judging."""
SKIP_SHARE: Final = 0.1

Tell = Callable[[Report], None]
"""Hears of every report, the partial ones too."""


@dataclass(frozen=True, slots=True)
class Laboratory:
    """What research is done with.

    Attributes:
        subject: the flow on its data. shelf: where it is kept. clock: UTC.
        tell: hears of partial reports. code: version of everything that computes.
    """

    subject: Subject
    shelf: Shelf
    clock: Clock
    tell: Tell
    code: str


def carry_out(wish: Wish, laboratory: Laboratory) -> Report:
    """Do what was asked and keep the report; an equal wish goes on where this one was stopped.

    Raises:
        InputError: the wish cannot be carried out on these ticks.
    """
    work = _Work(wish, laboratory)
    with TrialWorkers(laboratory.subject, wish.processes) as workers:
        if wish.kind == "sweep":
            report = work.sweep(workers)
        elif wish.kind == "walk_forward":
            report = work.walk(workers)
        else:
            report = work.stress(workers)
    laboratory.shelf.write(report)
    laboratory.tell(report)
    return report


class _Work:
    """One wish under way."""

    def __init__(self, wish: Wish, laboratory: Laboratory) -> None:
        self._wish = wish
        self._lab = laboratory
        self._subject = laboratory.subject
        self._window = _inside(laboratory.subject.window, wish.window)
        ledger = TrialLedger(laboratory.shelf.folder, question_of(laboratory.subject.flow))
        self._question = Question(laboratory.subject, ledger, laboratory.clock)
        self._written_ns = 0

    def sweep(self, workers: TrialWorkers) -> Report:
        """Try, rank, and judge the best."""
        plan, ledger = self._wish.sweep_plan(), self._question.ledger
        planned = 0

        def observe(trials: list[Tried], total: int) -> None:
            nonlocal planned
            planned = total
            if self._is_due():
                share = RUNS_SHARE * len(trials) / max(1, total)
                message = f"trial {len(trials):,} of {total:,}"
                partial = sweep_result(plan, trials, total, None)
                self._partial(share, message, sweep=partial)

        trials = Sweep(self._question, self._window, plan).run(workers, observe)
        self._partial(RUNS_SHARE, "judging the best")
        result = sweep_result(plan, trials, planned, ledger)
        if result.best is None:
            return self._report(sweep=result, verdict=result.verdict)
        point = result.best.point
        run = workers.runs([(point, self._window, AS_WRITTEN)])[0]
        judged = self._judged(workers, run, point, cliff=result.cliff)
        return self._report(sweep=result, verdict=result.verdict, **judged)

    def walk(self, workers: TrialWorkers) -> Report:
        """Walk forward and judge what was traded after the choices."""
        plan = self._wish.walk_plan()

        def watch(rows: Sequence[FoldRow], message: str, share: float) -> None:
            if self._is_due():
                self._partial(RUNS_SHARE * share, message, walk_forward=walk_so_far(plan, rows))

        outcome, runs = walk_forward(self._question, self._window, plan, workers, watch)
        self._partial(RUNS_SHARE, "judging what was traded after")
        points = [row.point for row in outcome.folds if row.point is not None]
        if not runs or not points:
            return self._report(walk_forward=outcome, verdict=outcome.verdict)
        run = joined(runs)
        judged = self._judged(workers, run, points[-1], efficiency=outcome.efficiency)
        return self._report(walk_forward=outcome, verdict=outcome.verdict, **judged)

    def stress(self, workers: TrialWorkers) -> Report:
        """Run under every condition and judge the run as it is."""
        point = dict(self._subject.flow.parameters)

        def tell(message: str, share: float) -> None:
            if self._is_due():
                self._partial(RUNS_SHARE * share, message)

        run = workers.runs([(point, self._window, AS_WRITTEN)])[0]
        outcome = stressed(workers, point, self._window, self._wish.stress_plan(), tell)
        judged = self._judged(workers, run, point)
        return self._report(stress=outcome, verdict=_stress_verdict(run, outcome), **judged)

    def _judged(
        self,
        workers: TrialWorkers,
        run: BacktestRun,
        point: Point,
        cliff: float | None = None,
        efficiency: float | None = None,
    ) -> dict[str, object]:
        """Members of a report that say what a run is worth."""
        quotes = self._subject.quotes(self._window)
        detections = detect(workers, point, self._window, self._subject.warm_up_ns)
        chance = self._chance(run)
        evidence = Evidence(
            run=run,
            volatility=daily_ranges(quotes),
            cliff=cliff,
            efficiency=efficiency,
            drawdown_low=chance.fan.drawdown.p05 if chance is not None else None,
            drawdown_high=chance.fan.drawdown.p95 if chance is not None else None,
        )
        return {
            "run": _figures(run, point),
            "chance": chance,
            "detections": tuple(detections),
            "findings": tuple(diagnose(evidence)),
        }

    def _chance(self, run: BacktestRun) -> Chance | None:
        nets = run.trades["net"].to_numpy()
        if len(nets) < 2:
            return None
        seed, quotes = self._wish.seed, self._subject.quotes(self._window)
        return Chance(
            fan=shuffled(nets, seed),
            blocks=drawn_in_blocks(nets, seed),
            skips=with_skips(nets, SKIP_SHARE, seed),
            skip_share=SKIP_SHARE,
            entries=entry_significance(run.trades, quotes, self._subject.point, seed),
        )

    def _is_due(self) -> bool:
        return self._lab.clock.now_ns() - self._written_ns >= PARTIAL_EVERY_NS

    def _partial(self, fraction: float, message: str, **members: object) -> None:
        self._written_ns = self._lab.clock.now_ns()
        report = self._report(state="running", fraction=fraction, message=message, **members)
        self._lab.shelf.write(report)
        self._lab.tell(report)

    def _report(self, **members: object) -> Report:
        subject, flow = self._subject, self._subject.flow
        base = Report(
            research_id=self._wish.research_id,
            kind=self._wish.kind,
            state="done",
            flow_name=flow.name,
            flow_digest=flow_digest(flow),
            symbol=flow.source.symbol,
            start_ns=self._window.start_ns,
            end_ns=self._window.end_ns,
            ticks=len(subject.quotes(self._window).ts_ns),
            data_id=subject.data_id,
            code=self._lab.code,
            written_ns=self._lab.clock.now_ns(),
        )
        return msgspec.structs.replace(base, **members)


def _inside(data: Window, wanted: Window) -> Window:
    """The part of the wanted time for which there are quotes.

    Raises:
        InputError: there is none.
    """
    found = Window(max(data.start_ns, wanted.start_ns), min(data.end_ns, wanted.end_ns))
    if found.start_ns >= found.end_ns:
        raise InputError("There are no ticks in the chosen time.")
    return found


def _figures(run: BacktestRun, point: Point) -> JudgedRun:
    return JudgedRun(
        point=point,
        trades=len(run.trades),
        net=round(net_of(run), 2),
        gross=round(float(run.trades["gross"].to_numpy().sum()), 2),
        max_drawdown=float(run.max_drawdown),
        start_balance=float(run.start_balance),
        log_digest=run.log_digest,
    )


def _stress_verdict(run: BacktestRun, stress: Stress) -> str:
    net = net_of(run)
    if not len(run.trades):
        return "No trades: nothing can be said."
    if net <= 0.0:
        return f"It loses {-net:,.2f} as it is; worse conditions do not matter."
    dear = next(step.net for step in stress.steps if step.kind == "cost" and step.amount == 1.5)
    factor = stress.break_even_factor
    bears = "more than twice" if factor is None else f"{factor:.2f} times"
    if dear <= 0.0:
        return f"It earns {net:,.2f}, but nothing at 1.5 times the costs; it bears {bears} them."
    return (
        f"It earns {net:,.2f} as it is and {dear:,.2f} at 1.5 times the costs; bears {bears} them."
    )
