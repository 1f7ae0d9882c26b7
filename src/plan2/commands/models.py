"""`plan2 models`: what is in the registry, and which models serve which symbol."""

from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)
from plan2.foundation.values import NS_PER_SECOND


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A model in the list; `serves` names the symbols whose champion it belongs to."""

    model_id: str
    family: str
    symbols: tuple[str, ...]
    serves: tuple[str, ...]
    trained: str
    accuracy: float | None
    n_eff: float | None
    verdict: str
    flags: tuple[str, ...]


@click.group(
    name="models",
    epilog=examples("plan2 models list", "plan2 models show xgboost-3f2a9c01d2e4 --json"),
)
def command() -> None:
    """List the registered models and show their cards."""


@command.command(
    name="list",
    epilog=examples(
        "plan2 models list", "plan2 models list --json", "plan2 models list --data-dir ~/sim"
    ),
)
@data_dir_option
@json_option
@click.pass_context
def list_models(ctx: click.Context, data_dir: Path | None, as_json: bool) -> None:
    """List all models, newest first."""
    from plan2.intelligence.models.registry import Registry

    folder = resolve_data_dir(ctx, data_dir) / "models"
    registry = Registry(folder)
    champions = registry.champions()
    lines = [
        Line(
            model_id=manifest.model_id,
            family=manifest.family,
            symbols=manifest.symbols,
            serves=tuple(s for s, c in champions.items() if manifest.model_id in c.model_ids),
            trained=_time(manifest.trained_ts_ns),
            accuracy=manifest.metrics.get("accuracy"),
            n_eff=manifest.metrics.get("n_eff"),
            verdict=manifest.verdict,
            flags=manifest.flags,
        )
        for manifest in registry.list()
    ]
    if as_json:
        print_json(lines)
    elif not lines:
        click.echo(f"No models in {folder}. Train some with `plan2 train`.")
    for line in () if as_json else lines:
        click.echo(_text(line))


@command.command(
    name="show",
    epilog=examples(
        "plan2 models show xgboost-3f2a9c01d2e4", "plan2 models show xgboost-3f2a9c01d2e4 --json"
    ),
)
@click.argument("model_id")
@data_dir_option
@json_option
@click.pass_context
def show(ctx: click.Context, model_id: str, data_dir: Path | None, as_json: bool) -> None:
    """Show one model's card: what it forecasts, from which data, how well."""
    from plan2.intelligence.models.registry import Registry

    manifest = Registry(resolve_data_dir(ctx, data_dir) / "models").show(model_id)
    if as_json:
        print_json(manifest)
        return
    origin, parity = manifest.provenance, manifest.parity
    span = f"{_time(origin.first_ts_ns)} … {_time(origin.last_ts_ns)}"
    rows = {
        "model": manifest.model_id,
        "family": manifest.family,
        "symbols": ", ".join(manifest.symbols),
        "trained": _time(manifest.trained_ts_ns),
        "forecasts": f"up by {manifest.barrier_sigmas:g} σ√horizon before down, within "
        f"{manifest.horizon_s // 60} min",
        "data": f"{span}, {origin.rows} events, about {origin.n_eff:.0f} independent",
        "features": f"{len(manifest.feature_names)}, schema {manifest.schema_id[:12]}",
        "calibration": f"slope {manifest.calibration.slope:.3f}, intercept "
        f"{manifest.calibration.intercept:+.3f}",
        "parity": f"{parity.max_difference:.1e} on {parity.rows} rows (limit {parity.limit:.0e})",
        "sha256": manifest.sha256,
        "verdict": " ".join((manifest.verdict, *manifest.flags)),
    }
    for name, text in rows.items():
        click.echo(f"{name:<12} {text}")
    click.echo("out of sample")
    for name, value in manifest.metrics.items():
        click.echo(f"  {name:<22} {value:.6g}")


def _text(line: Line) -> str:
    accuracy = f"{line.accuracy:.1%} of {line.n_eff:.0f}" if line.n_eff else ""
    serves = f"serves {', '.join(line.serves)}" if line.serves else ""
    flags = " ".join((line.verdict, *line.flags))
    return f"{line.model_id:<22} {line.trained:<16} {accuracy:<15} {flags:<34} {serves}".rstrip()


def _time(ts_ns: int) -> str:
    return datetime.fromtimestamp(ts_ns / NS_PER_SECOND, UTC).strftime("%Y-%m-%d %H:%M")
