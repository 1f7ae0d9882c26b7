"""`plan2 dataset`: build, show, verify and export what models are trained on."""

import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

import click
import msgspec

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
    resolve_settings,
)
from plan2.commands.train import END_OF_TIME_NS, nanoseconds
from plan2.foundation.errors import InputError

FOLDER: Final = click.Path(file_okay=False, path_type=Path)


@click.group(
    name="dataset",
    epilog=examples(
        "plan2 dataset build year --symbol EURUSD --from 2024-01-01 --to 2025-01-01",
        "plan2 dataset list",
        "plan2 dataset verify year --rebuild",
        "plan2 train --dataset year",
    ),
)
def command() -> None:
    """Build and look after data sets: features and labels of archived ticks, with lineage."""


@command.command(
    epilog=examples(
        "plan2 dataset build year --symbol EURUSD",
        "plan2 dataset build calm --features calm_trend --horizon 240",
        "plan2 dataset build m1 --symbol EURUSD --bars 1m     where there are no ticks",
    )
)
@click.argument("name")
@click.option("--symbol", "symbols", multiple=True, help="Symbol; may be repeated. [all archived]")
@click.option("--from", "start", default=None, type=click.DateTime(), help="First time, UTC.")
@click.option("--to", "end", default=None, type=click.DateTime(), help="Time to stop before, UTC.")
@click.option("--features", default=None, help="Feature set: name, name@version.")
@click.option("--horizon", default=None, type=click.IntRange(min=1), help="Minutes of the labels.")
@click.option("--bars", default=None, help="Period of archived bars to make ticks of, as 1m.")
@data_dir_option
@json_option
@click.pass_context
def build(
    ctx: click.Context,
    name: str,
    symbols: tuple[str, ...],
    start: datetime | None,
    end: datetime | None,
    features: str | None,
    horizon: int | None,
    bars: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Build a data set by replaying the archive through the live kernels.

    Holes in the feed end a series and what is open in it. With --bars every bar becomes four ticks
    whose order is judged against the trade; rates of quotes then mean nothing.
    """
    from plan2.dataflow.bar_series import parse_period
    from plan2.intelligence.training.data_set_text import lines_of
    from plan2.wiring import data_sets

    folder = resolve_data_dir(ctx, data_dir)
    order = data_sets.BuildOrder(
        name=name,
        start_ns=nanoseconds(start, 0),
        end_ns=nanoseconds(end, END_OF_TIME_NS),
        bars_s=parse_period(bars) if bars else 0,
    )
    settings = resolve_settings(ctx, data_dir).settings
    if horizon is not None:
        models = msgspec.structs.replace(settings.models, horizon_minutes=horizon)
        settings = msgspec.structs.replace(settings, models=models)
    request = data_sets.request_of(folder, order, settings, (symbols, features))
    days = data_sets.days_to_read(folder, order, request.symbols)
    label = f"building {name}"
    with click.progressbar(length=days, label=label, file=sys.stderr) as bar:
        manifest = data_sets.build(folder, order, request, lambda _: bar.update(1))
    _tell(manifest, lines_of(manifest), as_json=as_json)


@command.command(name="list", epilog=examples("plan2 dataset list", "plan2 dataset list --json"))
@data_dir_option
@json_option
@click.pass_context
def list_data_sets(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """List all data sets."""
    from plan2.intelligence.training.data_set_text import summary_of
    from plan2.wiring.data_sets import data_sets_of

    found = [
        summary_of(manifest) for manifest in data_sets_of(resolve_data_dir(ctx, data_dir)).list()
    ]
    if as_json:
        print_json(found)
        return
    for line in found:
        click.echo(str(line))
    if not found:
        click.echo("There is no data set; `plan2 dataset build NAME` makes one.")


@command.command(epilog=examples("plan2 dataset show year", "plan2 dataset show year --json"))
@click.argument("name")
@data_dir_option
@json_option
@click.pass_context
def show(ctx: click.Context, name: str, data_dir: Path | None, as_json: bool) -> None:
    """Show what a data set holds and where it came from."""
    from plan2.intelligence.training.data_set_text import lines_of
    from plan2.wiring.data_sets import data_sets_of

    manifest = data_sets_of(resolve_data_dir(ctx, data_dir)).show(name)
    _tell(manifest, lines_of(manifest), as_json=as_json)


@command.command(
    epilog=examples("plan2 dataset verify year", "plan2 dataset verify year --rebuild")
)
@click.argument("name")
@click.option("--rebuild", is_flag=True, help="Also build it again from the archive and compare.")
@data_dir_option
@json_option
@click.pass_context
def verify(
    ctx: click.Context, name: str, rebuild: bool, data_dir: Path | None, as_json: bool
) -> None:
    """Compare every file with its hash; exit code 3 when one differs."""
    from plan2.wiring.data_sets import data_sets_of, rebuilt_hash

    folder = resolve_data_dir(ctx, data_dir)
    store = data_sets_of(folder)
    faults = list(store.verify(name))
    manifest = store.show(name)
    if rebuild and not faults:
        found = rebuilt_hash(folder, name, resolve_settings(ctx, data_dir).settings)
        if found != manifest.hash:
            faults.append(
                f"Built again it has the hash {found[:12]}, expected was {manifest.hash[:12]}: "
                "the archive or the code changed."
            )
    if as_json:
        print_json({"name": name, "hash": manifest.hash, "faults": faults})
    for fault in faults if not as_json else ():
        click.echo(fault)
    if faults:
        raise InputError(f"{len(faults)} faults were found in the data set {name!r}.")
    if not as_json:
        click.echo(f"{name} is sound: {manifest.rows:,} rows, hash {manifest.hash[:12]}.")


@command.command(epilog=examples("plan2 dataset export year --out year/"))
@click.argument("name")
@click.option("--out", required=True, type=FOLDER, help="Folder to write into.")
@data_dir_option
@json_option
@click.pass_context
def export(ctx: click.Context, name: str, out: Path, data_dir: Path | None, as_json: bool) -> None:
    """Write the events of each symbol as one Parquet file with named columns, and the manifest."""
    from plan2.wiring.data_sets import data_sets_of

    files = data_sets_of(resolve_data_dir(ctx, data_dir)).export(name, out)
    if as_json:
        print_json([str(file) for file in files])
        return
    click.echo(f"Written: {', '.join(map(str, files))}")


def _tell(manifest: msgspec.Struct, lines: Iterable[str], *, as_json: bool) -> None:
    if as_json:
        print_json(manifest)
        return
    for line in lines:
        click.echo(line)
