"""A report of research as a person reads it in a terminal."""

from datetime import UTC, datetime
from typing import Final

from plan2.intelligence.research.report import Report
from plan2.intelligence.research.stress import Stress
from plan2.intelligence.research.sweep_result import SweepResult
from plan2.intelligence.research.walk_forward import WalkForward

ROWS_SHOWN: Final = 15
MARKS: Final = {"serious": "!!", "warning": "! ", "note": "  "}


def text_of(report: Report) -> str:
    """The report in lines; times UTC, money in account currency."""
    time = f"{_day(report.start_ns)} to {_day(report.end_ns)} UTC"
    lines = [f"{report.flow_name}, {report.symbol}  {time}, {report.ticks:,} ticks", ""]
    if report.sweep is not None:
        lines += _sweep(report.sweep)
    if report.walk_forward is not None:
        lines += _walk(report.walk_forward)
    if report.stress is not None:
        lines += _stress(report.stress)
    lines += _chance(report) + _judgement(report)
    return "\n".join([*lines, "", report.verdict, f"Research {report.research_id}"])


def _sweep(result: SweepResult) -> list[str]:
    head = "  ".join(f"{name:>10}" for name in result.parameters)
    lines = [f"{head}  {result.metric:>15}  {'net':>12}  {'trades':>7}  {'drawdown':>10}"]
    for row in result.rows[:ROWS_SHOWN]:
        point = "  ".join(f"{row.point[name]:>10.6g}" for name in result.parameters)
        value = "–" if row.value is None else f"{row.value:,.3f}"
        mark = "" if row.is_whole else "  stopped"
        lines.append(
            f"{point}  {value:>15}  {row.net:>12,.2f}  {row.trades:>7,}  "
            f"{row.max_drawdown:>10,.2f}{mark}"
        )
    if result.trials > ROWS_SHOWN:
        lines.append(f"… {result.trials - ROWS_SHOWN:,} more trials")
    figures = (
        ("deflated", result.deflated, ".1%"),
        ("overfitting", result.overfitting, ".1%"),
        ("cliff", result.cliff, ".2f"),
    )
    told = [f"{name} {value:{form}}" for name, value, form in figures if value is not None]
    counted = f"{result.trials:,} trials here, {result.counted:,} on this question"
    return [*lines, "", ", ".join([counted, *told])]


def _walk(outcome: WalkForward) -> list[str]:
    lines = [f"{'after':>10}  {'chosen':<28}  {'inside':>10}  {'after':>10}  {'net':>12}  trades"]
    for fold in outcome.folds:
        point = ", ".join(f"{name}={value:g}" for name, value in (fold.point or {}).items())
        lines.append(
            f"{_day(fold.test_start_ns):>10}  {point or 'nothing':<28}  {_cell(fold.inside):>10}  "
            f"{_cell(fold.outside):>10}  {fold.net:>12,.2f}  {fold.trades:>6,}"
        )
    efficiency = "–" if outcome.efficiency is None else f"{outcome.efficiency:.0%}"
    return [*lines, "", f"net after {outcome.net:,.2f}, efficiency {efficiency}"]


def _stress(stress: Stress) -> list[str]:
    lines = [f"{'condition':<10}  {'amount':>8}  {'net':>12}  {'trades':>7}  {'drawdown':>10}"]
    lines += [
        f"{step.kind:<10}  {step.amount:>8g}  {step.net:>12,.2f}  {step.trades:>7,}  "
        f"{step.max_drawdown:>10,.2f}"
        for step in stress.steps
    ]
    noise, jitter = stress.noise, stress.jitter
    return [
        *lines,
        "",
        (
            f"noise of {stress.noise_points:g} points, {noise.runs} runs: {noise.net.p05:,.2f} to "
            f"{noise.net.p95:,.2f}, {noise.losing:.0%} lose"
        ),
        f"other starts, {jitter.runs} runs: {jitter.net.p05:,.2f} to {jitter.net.p95:,.2f} a day",
    ]


def _chance(report: Report) -> list[str]:
    chance = report.chance
    if chance is None:
        return []
    fall, blocks = chance.fan.drawdown, chance.blocks
    lines = [
        (
            f"drawdown in another order: {fall.p50:,.2f} usual, {fall.p95:,.2f} in one of twenty "
            f"(was {chance.fan.actual_drawdown:,.2f})"
        ),
        f"profit drawn again in blocks: {blocks.net.p05:,.2f} to {blocks.net.p95:,.2f}",
    ]
    if chance.entries is not None:
        lines.append(f"random entries do as well with p = {chance.entries.p_value:.3f}")
    return lines


def _judgement(report: Report) -> list[str]:
    leaks = [each.says for each in report.detections if each.ok is False]
    lines = [f"!! {says}" for says in dict.fromkeys(leaks)]
    for finding in report.findings:
        lines += [f"{MARKS[finding.severity]} {finding.says}", f"   {finding.advice}"]
    return ["", *lines] if lines else []


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3f}"


def _day(ts_ns: int) -> str:
    return f"{datetime.fromtimestamp(ts_ns / 1e9, UTC):%Y-%m-%d}"
