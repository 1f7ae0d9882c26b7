"""`plan2 flow template` and `plan2 flow check`: a flow file before anything knows of it."""

from pathlib import Path

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_settings,
    say,
)

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

RULES = """# A flow of rules. docs/flows.md explains every table and lists the words.
name = "{name}"
description = "Break-outs of twenty bars, with a stop and a target."

[source]
symbol = "EURUSD"
bars = "5m"

[parameters]
length = 20
stop_atrs = 2.0
target_atrs = 3.0

[features]
top = "lag(highest(high, length), 1)"
bottom = "lag(lowest(low, length), 1)"
reach = "atr(14)"

[policy]
{policy}
[exits]
stop_loss = "stop_atrs * reach"
take_profit = "target_atrs * reach"

[size]
risk_fraction = 0.005

[risk]
spread_max_points = 30
"""
CONDITIONS = """long = "close > top"
short = "close < bottom"
warm_up = 100
"""
PLUGIN = """kind = "python"
plugin = "{file}:BreakOut"
warm_up = 100
"""
PYTHON = '''"""The policy of {name}.toml, asked at the end of each bar."""

from plan2.intelligence.flows.policies import Action, View

LONG, SHORT = Action(enter=1), Action(enter=-1)


class BreakOut:
    """Enter in the direction in which a bar leaves the range of those before it."""

    def on_bar(self, view: View) -> Action | None:
        """`view.values` are the features of the flow, in the order of the file."""
        top, bottom, _reach = view.values
        price = 0.5 * (view.bid + view.ask)
        if price > top:
            return LONG
        if price < bottom:
            return SHORT
        return None
'''


@click.command(
    name="template",
    epilog=examples("plan2 flow template my-rule", "plan2 flow template my-rule --python"),
)
@click.argument("name")
@click.option("--python", "is_python", is_flag=True, help="With a policy written in Python.")
@click.option("--force", is_flag=True, help="Write over files that exist.")
def template(name: str, is_python: bool, force: bool) -> None:
    """Write NAME.toml, an example that runs, into this folder; with --python NAME.py beside it."""
    from plan2.foundation.errors import InputError
    from plan2.intelligence.flows.flow import parse_flow

    plugin = f"{name.replace('-', '_')}.py"
    policy = PLUGIN.format(file=plugin) if is_python else CONDITIONS
    texts = {f"{name}.toml": RULES.format(name=name, policy=policy)}
    if is_python:
        texts[plugin] = PYTHON.format(name=name)
    parse_flow(texts[f"{name}.toml"], name)
    there = [file for file in texts if Path(file).exists()]
    if there and not force:
        raise InputError(f"{there[0]} exists.", remedy="Take another name, or say --force.")
    for file, text in texts.items():
        Path(file).write_text(text, encoding="utf-8")
        click.echo(file)
    say(f"Try it: plan2 flow check {name}.toml, then plan2 backtest {name}.toml")


@click.command(
    name="check",
    epilog=examples("plan2 flow check ema-cross.toml", "plan2 flow check ema-cross.toml --json"),
)
@click.argument("file", type=FILE)
@click.option("--ticks", type=FILE, help="A file of ticks to try it on; else a made-up walk.")
@click.option("--param", "params", multiple=True, metavar="NAME=NUMBER", help="Repeatable.")
@data_dir_option
@json_option
@click.pass_context
def check(
    ctx: click.Context,
    file: Path,
    ticks: Path | None,
    params: tuple[str, ...],
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Say what is wrong with a flow, how long it warms up, and whether it looks ahead.

    Exit code 1 when there is a problem, 3 when the file cannot be read as a flow.
    """
    from plan2.commands.backtest_flow import numbers
    from plan2.intelligence.flows.flow import read_flow, with_parameters
    from plan2.wiring.flow_run import check_file

    flow = with_parameters(read_flow(file), numbers(params))
    found = check_file(resolve_settings(ctx, data_dir), flow, ticks)
    if as_json:
        print_json(found)
    else:
        click.echo(f"{found.name}: indicators are defined after {found.defined_after:,} bars,")
        click.echo(f"  the first signal is possible after {found.first_signal_after:,}.")
        click.echo(f"  {found.signals:,} signals on {found.ticks:,} ticks.")
        for problem in found.problems:
            click.echo(f"  PROBLEM  {problem}")
        for remark in found.remarks:
            click.echo(f"  remark   {remark}")
        click.echo("  nothing wrong." if not found.problems else "")
    ctx.exit(1 if found.problems else 0)
