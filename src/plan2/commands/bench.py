"""`plan2 bench`: what this machine reaches, each figure beside its limit."""

import os
import platform
import tempfile
from pathlib import Path

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    resolve_settings,
)


@click.command(name="bench", epilog=examples("plan2 bench", "plan2 bench --json > bench.json"))
@click.option("--screens", default=100, show_default=True, help="WebSocket clients; 0 = none.")
@data_dir_option
@json_option
@click.pass_context
def command(ctx: click.Context, screens: int, data_dir: Path | None, as_json: bool) -> None:
    """Measure this machine: tick to decision, flows, orders, features, bus, journal, stream.

    Takes about a minute on two cores. Ratios inside one run mean more than absolute figures.
    """
    from plan2.bench import flows, parts, path
    from plan2.bench.screens import stream_while_trading
    from plan2.bench.table import text_of
    from plan2.dataflow.terminals.simulated.instruments import instruments
    from plan2.foundation.loop import run_async
    from plan2.wiring.markets import simulated_home

    settings = resolve_settings(ctx, data_dir).settings
    models = simulated_home(resolve_data_dir(ctx, data_dir)) / "models"
    with tempfile.TemporaryDirectory(prefix="plan2-bench-") as folder:
        scratch = Path(folder)
        say("generating ticks …")
        course = path.prepare(models, scratch, settings.simulated.seed, say)
        say("features, bus, journal …")
        rows = parts.features(instruments((path.SYMBOL,), 30.0)[path.SYMBOL], course.live)
        rows += [parts.bus(course.live[0]), parts.journal(scratch)]
        say("tick to decision …")
        rows += path.tick_to_decision(course, settings)
        say("flows …")
        rows += flows.tick_to_decision_with_flows(course, settings, scratch)
        say("decision to terminal …")
        rows.append(path.decision_to_terminal(course, settings, scratch))
        if screens:
            say(f"{screens} screens while trading …")
            rows += run_async(stream_while_trading(course, settings, screens))
    if as_json:
        print_json({"machine": machine(), "rows": rows})
    else:
        click.echo(machine())
        click.echo(text_of(rows))


def say(text: str) -> None:
    """Progress, beside the result."""
    click.echo(text, err=True)


def machine() -> str:
    """What was measured on."""
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
        if hasattr(os, "getloadavg")
        else f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    )
