"""What `plan2 backtest FLOW.toml` does."""

from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from plan2.commands.instants import instant_ns
from plan2.commands.market_progress import clear_progress, show_progress
from plan2.commands.options import print_json, say
from plan2.commands.simulated_market import on_simulated
from plan2.dataflow.archive import END_OF_TIME_NS
from plan2.foundation.config.load import Loaded, data_dir
from plan2.foundation.errors import InputError
from plan2.intelligence.backtest.run import Engine
from plan2.intelligence.backtest.run_flow import with_seed
from plan2.intelligence.backtest.summary import summary_of, summary_text, write_run
from plan2.intelligence.flows.flow import Flow, read_flow, with_parameters
from plan2.intelligence.flows.policies import Policy, find_policy
from plan2.wiring.flow_run import FlowResult, FlowWindow, backtest_flow, needs_pipeline


@dataclass(frozen=True, slots=True)
class FlowOptions:
    """The command line as it was given."""

    flow: Path
    symbols: tuple[str, ...]
    start: str | None
    end: str | None
    ticks: Path | None
    simulated: bool
    bars: Path | None
    spread_points: float | None
    quote_rate: float
    base_rate: float
    params: tuple[str, ...]
    policy: str | None
    engine: Engine | None
    seed: int | None
    out: Path | None
    report: bool


def run_file(loaded: Loaded, asked: FlowOptions, *, as_json: bool) -> None:
    """Backtest the flow of a file and print what came out.

    Raises:
        InputError: flow, option or data cannot be used.
        click.BadParameter: a time or a parameter cannot be read.
    """
    if asked.ticks is not None and asked.bars is not None:
        raise click.BadParameter("a run takes ticks or bars.", param_hint="--ticks, --bars")
    flow = _flow(asked)
    window = FlowWindow(
        start_ns=instant_ns(asked.start) if asked.start else 0,
        end_ns=instant_ns(asked.end) if asked.end else END_OF_TIME_NS,
        ticks=asked.ticks,
        bars=asked.bars,
        spread_points=asked.spread_points,
        rates=(asked.quote_rate, asked.base_rate),
        is_named=bool(asked.symbols),
    )
    policy = _policy(flow, asked)
    ground = on_simulated(loaded) if asked.simulated else loaded
    if needs_pipeline(flow, asked.engine, policy):
        # Late: the code that trades takes longer to import than most flows take to run.
        from plan2.wiring.flow_pipeline import run_by_pipeline

        found = run_by_pipeline(ground, flow, window, _tell)
    else:
        found = backtest_flow(ground, flow, window, _tell, policy)
    clear_progress()
    summary = summary_of(found.run, found.other_paths, found.inference_share)
    if asked.out is not None:
        write_run(found.run, summary, asked.out)
    if as_json:
        print_json(summary)
    else:
        click.echo(summary_text(summary))
    if asked.report:
        say(f"Report: {_kept(loaded, found)}")


def _tell(ticks: int, ts_ns: int) -> None:
    show_progress(ts_ns, ticks)


def _kept(loaded: Loaded, found: FlowResult) -> Path:
    """Keep the run among those of the main tenant; returns the file of its report."""
    # Late, because it brings matplotlib along, and the result should be there before.
    from plan2.foundation.clock import LiveClock
    from plan2.foundation.database.tenancy import MAIN_TENANT
    from plan2.intelligence.backtest.kept.files import KeptRuns
    from plan2.intelligence.training.provenance import code_hash
    from plan2.wiring.backtest_carrying import Keeping, keep
    from plan2.wiring.result_folders import results_folder

    kept = KeptRuns(results_folder(data_dir(loaded.settings), MAIN_TENANT))
    limits, now_ns = loaded.settings.backtests, LiveClock().now_ns()
    keep(found, kept, Keeping(limits=limits, now_ns=now_ns, code_hash=code_hash()))
    return kept.page_file(found.run.run_id)


def _flow(asked: FlowOptions) -> Flow:
    """The file with symbol, parameters and seed of the command line."""
    flow = with_parameters(read_flow(asked.flow), numbers(asked.params))
    if len(asked.symbols) > 1:
        raise click.BadParameter("a flow trades one symbol.", param_hint="--symbol")
    if asked.symbols:
        source = msgspec.structs.replace(flow.source, symbol=asked.symbols[0])
        flow = msgspec.structs.replace(flow, source=source)
    return flow if asked.seed is None else with_seed(flow, asked.seed)


def _policy(flow: Flow, asked: FlowOptions) -> Policy | None:
    """The Python policy that decides; None for the flow's rules."""
    name = asked.policy or flow.policy.plugin
    is_python = asked.engine == "python" or asked.policy or flow.policy.kind == "python"
    if not is_python or asked.engine == "compiled":
        return None
    if not name:
        raise InputError("A Python policy has no name.", remedy="Say --policy file.py:Class.")
    return find_policy(name)


def numbers(params: tuple[str, ...]) -> dict[str, float]:
    """`fast=12` as name and number.

    Raises:
        click.BadParameter: it is not NAME=NUMBER.
    """
    found = {}
    for text in params:
        name, sign, value = text.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            sign = ""
        if not sign:
            raise click.BadParameter(f"{text!r}; write fast=12.", param_hint="--param")
    return found
