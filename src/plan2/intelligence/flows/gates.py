"""The gates of a flow's life: which conditions lead into which state.

A figure that is missing is a condition that is not met; nothing is assumed. A person may pass over
a condition that says so, with a reason; over the others nobody.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from plan2.foundation.values import NS_PER_DAY
from plan2.intelligence.flows.life import FlowMove, FlowState, FlowVersion


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of a gate, whether it is met, and with which figure."""

    name: str
    is_met: bool
    sentence: str
    may_be_passed: bool = False


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the gates look at besides the version.

    Attributes:
        runs: ids of finished backtests of this very version whose report exists, newest first.
        moves: of the version, oldest first. now_ns: UTC.
        paper_days: that are asked for.
        is_real: whether the account holds real money. is_armed: whether it trades, and for real
            money whether a person armed it by its name.
        trading: the version of the flow that trades already, 0 = none.
    """

    runs: tuple[str, ...]
    moves: tuple[FlowMove, ...]
    now_ns: int
    paper_days: int
    is_real: bool
    is_armed: bool
    trading: int = 0


def findings(version: FlowVersion, to: FlowState, standing: Standing) -> tuple[Finding, ...]:
    """Every condition of the gate into `to`, met or not; empty when the state has no gate."""
    if to is FlowState.BACKTESTED:
        return (_backtested(standing),)
    if to is FlowState.PAPER:
        return (_alone(version, standing), _no_real_money(standing))
    if to is FlowState.LIVE:
        return (_alone(version, standing), _on_paper(version, standing), _armed(standing))
    return ()


def paper_days(version: FlowVersion, moves: Sequence[FlowMove], now_ns: int) -> float:
    """Days that a version has been trading on paper, pauses left out."""
    total, since_ns = 0, 0
    for move in moves:
        if move.before is FlowState.PAPER:
            total += move.at_ns - since_ns
        since_ns = move.at_ns
    if version.state is FlowState.PAPER:
        total += now_ns - since_ns
    return total / NS_PER_DAY


def _backtested(standing: Standing) -> Finding:
    if standing.runs:
        text = f"backtest {standing.runs[0]} of this version is finished and has its report"
    else:
        text = "no finished backtest of this very version: run one (plan2 backtest)"
    return Finding(name="backtest", is_met=bool(standing.runs), sentence=text)


def _alone(version: FlowVersion, standing: Standing) -> Finding:
    other = standing.trading
    is_met = other in {0, version.version}
    text = "no other version of it trades"
    if not is_met:
        text = f"version {other} of it trades: retire that one first"
    return Finding(name="alone", is_met=is_met, sentence=text)


def _no_real_money(standing: Standing) -> Finding:
    text = "the account holds no real money"
    if standing.is_real:
        text = "the account holds real money: paper needs one that does not"
    return Finding(name="no_real_money", is_met=not standing.is_real, sentence=text)


def _on_paper(version: FlowVersion, standing: Standing) -> Finding:
    days = paper_days(version, standing.moves, standing.now_ns)
    text = f"{days:.1f} days on paper, at least {standing.paper_days} are needed"
    is_met = days >= standing.paper_days
    return Finding(name="paper_days", is_met=is_met, sentence=text, may_be_passed=True)


def _armed(standing: Standing) -> Finding:
    money = "real money" if standing.is_real else "the account"
    text = f"{money} is armed" if standing.is_armed else f"{money} is not armed: resume it first"
    return Finding(name="armed", is_met=standing.is_armed, sentence=text)


GATED: Final = (FlowState.BACKTESTED, FlowState.PAPER, FlowState.LIVE)
"""States with a gate, in the usual order."""
