"""The page of a run: the verdict first, then what it rests on, at last every trade."""

from html import escape

from plan2.intelligence.backtest.figures.definitions import DEFINITIONS
from plan2.intelligence.backtest.figures.terms import RunFigures
from plan2.intelligence.backtest.kept.cells import figure_text, time_text
from plan2.intelligence.backtest.kept.terms import RunSummary
from plan2.intelligence.backtest.page import drawings, parts
from plan2.intelligence.backtest.run import BacktestRun
from plan2.intelligence.backtest.summary import named
from plan2.intelligence.documents.html import document, section

HEADLINES = ("net_profit", "total_return", "max_drawdown", "sharpe", "profit_factor", "trades")


def page_of(run: BacktestRun, summary: RunSummary, figures: RunFigures) -> str:
    """The whole document; deterministic for a run and the time at which it was made."""
    title = f"Backtest of {summary.name} on {summary.symbol}"
    pictures = figures.pictures
    body = [
        f"<h1>{escape(title)}</h1>",
        _verdict(figures),
        *(f'<p class="verdict flag">{escape(flag)}</p>' for flag in figures.evidence.flags),
        f"<p>{escape(_when(run))}</p>",
        *_paths(summary),
        parts.pairs(_headline(figures, name) for name in HEADLINES),
        section("Equity and drawdown", drawings.equity(pictures, summary.currency))
        if pictures.equity.values
        else "",
        section("Returns by month", parts.months(figures.months)),
        section("Figures", parts.metrics(figures)),
        section("Deepest drawdowns", parts.falls(figures.falls)),
        *(_of_trades(summary, figures) if summary.trades else ()),
        section("Trades", parts.trades(run.trades)),
        section("What the orders met", _orders(run)),
        section("Parameters and hashes", _origin(run, summary)),
        section("What is simulated", parts.sentences(figures.simulated)),
        section("What is not", parts.sentences(figures.not_simulated)),
    ]
    return document(title, "\n".join(part for part in body if part))


def _verdict(figures: RunFigures) -> str:
    evidence = figures.evidence
    word = escape(evidence.verdict.capitalize())
    return f'<p class="verdict"><strong>{word}.</strong> {escape(evidence.sentence)}</p>'


def _paths(summary: RunSummary) -> list[str]:
    """Net results if prices had moved the other ways inside the bars."""
    if not summary.other_paths:
        return []
    rows = [
        (f"net on the {name} path", figure_text("money", net))
        for name, net in summary.other_paths.items()
    ]
    return [parts.pairs(rows)]


def _of_trades(summary: RunSummary, figures: RunFigures) -> list[str]:
    pictures, currency = figures.pictures, summary.currency
    pair = drawings.histogram(pictures.trade_results, f"net result of a trade, {currency}")
    if pictures.daily_returns.counts:
        pair += drawings.histogram(pictures.daily_returns, "return of a day, %", 100.0)
    found = [
        section(
            "Where the money went",
            drawings.costs(figures.costs, currency) + parts.costs(figures.costs),
        ),
        section("Distribution", f'<div class="pair">{pair}</div>'),
        section("Worst and best on the way", drawings.excursions(pictures.excursions, currency)),
        section("Time in the market", drawings.exposure(pictures)),
        section("Trades in groups", parts.groups(figures)),
    ]
    if pictures.rolling_volatility.values:
        found.append(section("The last 21 days, day by day", drawings.rolling(pictures)))
    return found


def _when(run: BacktestRun) -> str:
    made_of = "quotes made of bars" if run.is_bars else "recorded ticks"
    return (
        f"{time_text(run.first_ns)} to {time_text(run.last_ns)}, {run.ticks:,} {made_of}, "
        f"{run.bars:,} bars of {run.flow.source.bars}, engine {run.engine}."
    )


def _headline(figures: RunFigures, name: str) -> tuple[str, str]:
    figure, known = figures.metrics[name], DEFINITIONS[name]
    said = figure.reason if figure.value is None else figure_text(known.unit, figure.value)
    return known.label, said


def _orders(run: BacktestRun) -> str:
    rows = [("requests", f"{run.orders.height:,}")]
    rows += [(f"rejected: {said}", f"{n:,}") for said, n in sorted(named(run.rejects).items())]
    rows += [(f"denied: {reason}", f"{n:,}") for reason, n in sorted(run.denials.items())]
    return parts.pairs(rows)


def _origin(run: BacktestRun, summary: RunSummary) -> str:
    parameters = [(name, f"{value:g}") for name, value in run.flow.parameters.items()]
    features = list(run.flow.features.items())
    hashes = [
        ("run", run.run_id), ("flow", run.flow_digest), ("data", run.data_id),
        ("code", summary.code_hash), ("orders and trades", run.log_digest),
        ("seed", str(run.seed)), ("made", time_text(summary.made_ns)),
        ("loop", f"{run.seconds:.2f} s"),
    ]  # fmt: skip
    policy = run.flow.policy
    rules = [(name, getattr(policy, name)) for name in ("long", "short", "exit_long", "exit_short")]
    said = [(name, text) for name, text in rules if text]
    return parts.pairs([*parameters, *features, *said, *hashes])
