"""`plan2 features list|show|add|check|values`: the catalogue and the sets that users declare."""

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
from plan2.foundation.errors import InputError
from plan2.foundation.values import TenantId
from plan2.intelligence.features.catalog import SEQUENCE, Feature
from plan2.intelligence.features.feature_set import ALL_GROUPS
from plan2.intelligence.features.plan import FeaturePlan, default_plan
from plan2.intelligence.features.requested import PEER
from plan2.intelligence.features.shelf import chosen_set
from plan2.wiring.feature_plan import installation_of, shelf_of

FILE: Final = click.Path(dir_okay=False, path_type=Path)

tenant_option = click.option("--tenant", default="default", show_default=True, help="Whose sets.")
ticks_option = click.option("--ticks", type=FILE, default=None, help="File of ticks to use.")
peer_option = click.option(
    "--peer", "peers", type=FILE, multiple=True, help="File of ticks of another symbol; repeat it."
)
symbol_option = click.option("--symbol", default=None, help="Archived symbol to use instead.")


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A feature: what it is called, means and needs."""

    name: str
    group: str
    unit: str
    warmup_bars: int
    low: float | None
    high: float | None
    meaning: str


class KeptSet(msgspec.Struct, frozen=True, kw_only=True):
    """A set that is kept, in its newest version."""

    name: str
    version: int
    versions: tuple[int, ...]
    features: int
    description: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """The catalogue and the sets of a tenant."""

    features: list[Line]
    sets: list[KeptSet]


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A set in full; `formulas` by column."""

    name: str
    version: int
    description: str
    schema_id: str
    warmup_bars: int
    features: list[Line]
    formulas: dict[str, str]


class Values(msgspec.Struct, frozen=True, kw_only=True):
    """The features after the last tick; None = undefined."""

    symbol: str
    ts_ns: int
    ready: bool
    schema_id: str
    values: dict[str, float | None]


@click.command(name="list", epilog=examples("plan2 features list", "plan2 features list --json"))
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def list_features(ctx: click.Context, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """List the catalogue and the sets that are kept."""
    shelf = shelf_of(resolve_data_dir(ctx, data_dir), TenantId(tenant))
    groups = {**ALL_GROUPS, "of(PEER, …)": PEER, "bar": SEQUENCE}
    listing = Listing(
        features=[_line(f, group) for group, members in groups.items() for f in members],
        sets=[
            KeptSet(
                name=kept.name,
                version=kept.version,
                versions=shelf.versions(kept.name),
                features=len(kept.features),
                description=kept.description,
            )
            for kept in shelf.list()
        ],
    )
    if as_json:
        print_json(listing)
        return
    for line in listing.features:
        click.echo(_text(line))
    for kept in listing.sets:
        click.echo(f"set {kept.name}@{kept.version}: {kept.features} features. {kept.description}")
    if not listing.sets:
        click.echo("No set is kept; `plan2 features add FILE` keeps one.")


@click.command(
    name="show",
    epilog=examples("plan2 features show calm_trend", "plan2 features show calm_trend@2 --json"),
)
@click.argument("wanted", metavar="SET|FILE")
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def show(
    ctx: click.Context, wanted: str, tenant: str, data_dir: Path | None, as_json: bool
) -> None:
    """Show a set: its columns, formulas, warm-up and identity."""
    plan = _plan(ctx, wanted, tenant, data_dir)
    own = plan.feature_set
    shown = Shown(
        name=own.name if own else "default",
        version=own.version if own else 1,
        description=own.description if own else "The whole catalogue.",
        schema_id=plan.schema_id,
        warmup_bars=plan.warmup_bars,
        features=[_line(feature, "") for feature in plan.features],
        formulas={name: formula.text for name, formula in own.columns} if own else {},
    )
    if as_json:
        print_json(shown)
        return
    click.echo(f"{shown.name}@{shown.version}  schema {shown.schema_id[:12]}  {shown.description}")
    click.echo(f"ready after {shown.warmup_bars} bars")
    for line in shown.features:
        click.echo(_text(line) + (f"\n      = {shown.formulas[line.name]}" if own else ""))


@click.command(name="add", epilog=examples("plan2 features add my_set.toml"))
@click.argument("file", type=FILE)
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def add(ctx: click.Context, file: Path, tenant: str, data_dir: Path | None, as_json: bool) -> None:
    """Keep a set under its name and version; a version never changes afterwards."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read as a feature set: {error}.") from error
    kept = shelf_of(resolve_data_dir(ctx, data_dir), TenantId(tenant)).add(text, str(file))
    if as_json:
        print_json({"name": kept.name, "version": kept.version, "features": len(kept.features)})
        return
    click.echo(f"{kept.name}@{kept.version} is kept: {len(kept.features)} features.")


@click.command(
    name="check",
    epilog=examples(
        "plan2 features check my_set.toml                      on archived ticks",
        "plan2 features check calm_trend --ticks EURUSD.parquet",
        "plan2 features check majors --ticks EURUSD.parquet --peer GBPUSD.parquet",
        "plan2 features check default --symbol EURUSD --json",
    ),
)
@click.argument("wanted", metavar="SET|FILE")
@ticks_option
@symbol_option
@peer_option
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def check(
    ctx: click.Context,
    wanted: str,
    ticks: Path | None,
    symbol: str | None,
    peers: tuple[Path, ...],
    tenant: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Look for features that know the future, need more warm-up than declared, or say nothing.

    Exit code 1 when something is wrong. Without archived ticks a random walk is used.
    """
    from plan2.commands.feature_ticks import beside_of, ticks_of
    from plan2.intelligence.features.set_check import check_features, save_report

    plan, folder = _plan(ctx, wanted, tenant, data_dir), resolve_data_dir(ctx, data_dir)
    block = ticks_of(folder, ticks, symbol)
    beside = beside_of(folder, plan, block, peers)
    report = check_features(plan, beside.compute, block, disturbed=beside.disturbed)
    save_report(installation_of(folder), report)
    if as_json:
        print_json(report)
    else:
        for finding in report.findings:
            click.echo(f"{finding.severity:8} {finding.feature} {finding.text}")
        verdict = "may be used" if report.passed else "must not be used"
        click.echo(
            f"{len(report.columns)} features over {report.bars:,} bars of {report.symbol}: "
            f"the set {verdict}."
        )
    if not report.passed:
        ctx.exit(1)


@click.command(
    name="values",
    epilog=examples(
        "plan2 features values calm_trend --symbol EURUSD",
        "plan2 features values default --ticks EURUSD.parquet --json",
    ),
)
@click.argument("wanted", metavar="SET|FILE")
@ticks_option
@symbol_option
@peer_option
@tenant_option
@data_dir_option
@json_option
@click.pass_context
def values(
    ctx: click.Context,
    wanted: str,
    ticks: Path | None,
    symbol: str | None,
    peers: tuple[Path, ...],
    tenant: str,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Show what a set says after the last tick of a file or of the archive."""
    from plan2.commands.feature_ticks import beside_of, ticks_of

    plan, folder = _plan(ctx, wanted, tenant, data_dir), resolve_data_dir(ctx, data_dir)
    block = ticks_of(folder, ticks, symbol)
    engine = beside_of(folder, plan, block, peers).engine()
    engine.step_block(block)
    known = [None if value != value else value for value in engine.values.tolist()]  # noqa: PLR0124 - NaN
    found = Values(
        symbol=block.symbol,
        ts_ns=int(block.ts_ns[-1]),
        ready=engine.ready,
        schema_id=plan.schema_id,
        values=dict(zip(plan.names, known, strict=True)),
    )
    if as_json:
        print_json(found)
        return
    for (name, value), unit in zip(found.values.items(), plan.units, strict=True):
        click.echo(f"{name:32} {'-' if value is None else f'{value:.6g}':>14} {unit}")


def _plan(ctx: click.Context, wanted: str, tenant: str, data_dir: Path | None) -> FeaturePlan:
    settings = resolve_settings(ctx, data_dir).settings
    shelf = shelf_of(resolve_data_dir(ctx, data_dir), TenantId(tenant))
    return default_plan(settings.market.bar_period_s, chosen_set(wanted, shelf))


def _line(feature: Feature, group: str) -> Line:
    return Line(
        name=feature.field,
        group=group,
        unit=feature.unit,
        warmup_bars=feature.warmup,
        low=_bound(feature.low),
        high=_bound(feature.high),
        meaning=feature.meaning,
    )


def _bound(edge: float) -> float | None:
    return None if edge in {float("inf"), float("-inf")} else edge


def _text(line: Line) -> str:
    needs = f"{line.warmup_bars} bars"
    return f"{line.group:12} {line.name:28} {line.unit:6} {needs:>8}  {line.meaning}"


VERBS = (list_features, show, add, check, values)
