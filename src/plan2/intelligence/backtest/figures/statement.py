"""What of the market a run simulated and what not, in sentences a trader can check."""

from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.flows.flow import FlowAccount


def simulated(run: BacktestRun) -> tuple[str, ...]:
    """What was taken into account."""
    execution, account = run.flow.execution, run.flow.account
    found = [
        "Purchases at the ask and sales at the bid of recorded quotes, so every spread is paid."
        if not run.is_bars
        else "Purchases at the ask and sales at the bid of quotes made of bars and their spread.",
        _fill(run),
        "Stops fill at the first quote beyond them, also after a gap.",
        _margin(account),
        "Commission for each lot and side."
        if execution.commission_per_lot
        else "Commission as the contract data of the symbol says.",
    ]
    if execution.swap:
        found.append("Swap for every night, three at the symbol's triple day.")
    if execution.slippage == "empirical":
        found.append("Slippage drawn from recorded fills.")
    elif execution.slippage_points:
        found.append(f"Slippage of {execution.slippage_points:g} points against us.")
    if execution.reject_fraction:
        found.append(f"{execution.reject_fraction:.1%} of requests refused, by seed.")
    if execution.partial_fraction:
        found.append(f"{execution.partial_fraction:.1%} of requests filled in part, by seed.")
    return tuple(found)


def not_simulated(run: BacktestRun) -> tuple[str, ...]:
    """What was left out."""
    execution = run.flow.execution
    found = [
        "Our own orders move no price, and there is always somebody on the other side.",
        "Changes of contract data, leverage or swap in the past.",
    ]
    if execution.slippage == "fixed" and not execution.slippage_points:
        found.append("Slippage beyond the delay of an order.")
    if not execution.swap:
        found.append("Swap: nights cost nothing.")
    if not execution.reject_fraction:
        found.append("Requests that a broker refuses for its own reasons.")
    if not execution.partial_fraction:
        found.append("Partial fills.")
    if run.is_bars:
        found.append("The true path of prices inside a bar.")
        if run.made_of:
            found.append(run.made_of)
    return tuple(found)


def _margin(account: FlowAccount) -> str:
    return (
        f"Margin at a leverage of {account.leverage:g}, margin call at "
        f"{account.margin_call_level:.0%} and stop-out at {account.stop_out_level:.0%} of it, "
        f"{account.mode}."
    )


def _fill(run: BacktestRun) -> str:
    execution = run.flow.execution
    if execution.fill == "signal_quote":
        return "Fills on the quote of the decision itself."
    spread = f" plus an exponential tail of {execution.latency_spread_ms:g} ms"
    return (
        f"Fills on the first quote after the decision and {execution.latency_ms:g} ms"
        f"{spread if execution.latency_spread_ms else ''}."
    )
