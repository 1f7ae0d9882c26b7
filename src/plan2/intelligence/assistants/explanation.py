"""The facts of a decision, from its record alone, as a language model may word them."""

from plan2.intelligence.assistants.wording import Fact
from plan2.intelligence.decision.record import DecisionRecord, EdgePart
from plan2.intelligence.models.forecast import Forecast

TASK = (
    "Explain to a trader why this decision was taken: what the models believed, whether that was "
    "worth its cost, and what decided in the end."
)


def facts_of(record: DecisionRecord, pip: float) -> dict[str, Fact]:
    """Everything of the record that an explanation may cite; `pip` in quote currency."""
    facts = {
        "symbol": Fact(record.symbol, "the market"),
        "outcome": Fact(_words(record.outcome), "what was done: traded, not traded or denied"),
        "reason": Fact(_words(record.reason), f"the reason, a code that says {record.reason}"),
        "bid": Fact(f"{record.tick.bid:g}", "bid price"),
        "ask": Fact(f"{record.tick.ask:g}", "ask price"),
    }
    if record.forecast is not None and not record.forecast.abstained:
        facts |= _of_forecast(record.forecast, pip)
    if record.edge is not None:
        facts |= _of_edge(record.edge, pip)
    if record.size is not None:
        facts["lots"] = Fact(f"{record.size.quantity:g}", "size, lots")
        facts["size_cap"] = Fact(_words(record.size.binding), "which cap decided the size")
    failed = next((check for check in record.checks if not check.passed), None)
    if failed is not None:
        facts["denied_by"] = Fact(_words(failed.rule), "the risk rule that said no")
        facts["denied_value"] = Fact(f"{failed.value:g}", "what that rule measured")
        facts["denied_limit"] = Fact(f"{failed.limit:g}", "its limit")
    return facts


def _of_forecast(forecast: Forecast, pip: float) -> dict[str, Fact]:
    votes = [vote for vote in forecast.votes if not vote.abstained]
    return {
        "probability_up": Fact(
            f"{forecast.p_up:.1%}", "calibrated probability that it rises first"
        ),
        "barrier_pips": Fact(f"{forecast.barrier / pip:.1f} pips", "the move that is bet upon"),
        "horizon": Fact(f"{forecast.horizon_s // 60} min", "how long the forecast holds"),
        "disagreement": Fact(f"{forecast.disagreement:.3f}", "how far the models differ"),
        "models": Fact(str(len(votes)), "how many models voted"),
    }


def _of_edge(edge: EdgePart, pip: float) -> dict[str, Fact]:
    return {
        "side": Fact("up" if edge.side > 0 else "down", "the better side of the bet: up or down"),
        "probability": Fact(f"{edge.p:.1%}", "probability of that side"),
        "probability_low": Fact(f"{edge.p_lcb:.1%}", "the same, read pessimistically"),
        "cost": Fact(f"{edge.cost / pip:.2f} pips", "spread and commission of the round trip"),
        "expected": Fact(f"{edge.ev / pip:+.2f} pips", "expected value after cost"),
        "expected_low": Fact(f"{edge.ev_lcb / pip:+.2f} pips", "the same, read pessimistically"),
    }


def _words(code: str) -> str:
    return str(code).replace("_", " ")
