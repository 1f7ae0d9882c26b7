"""The card of a candidate or of a model, for people and scripts."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from plan2.commands.options import print_json
from plan2.commands.tables import cell_text, time_text


def show_model(folder: Path, model_id: str, *, as_json: bool) -> None:
    """Print one model's manifest.

    Raises:
        InputError: there is no such model.
    """
    from plan2.intelligence.models.registry import Registry

    manifest = Registry(folder / "models").show(model_id)
    if as_json:
        print_json(manifest)
        return
    origin, parity = manifest.provenance, manifest.parity
    span = f"{time_text(origin.first_ts_ns // 1000)} … {time_text(origin.last_ts_ns // 1000)}"
    rows = {
        "model": manifest.model_id,
        "family": manifest.family,
        "symbols": ", ".join(manifest.symbols),
        "trained": time_text(manifest.trained_ts_ns // 1000),
        "forecasts": f"up by {manifest.barrier_sigmas:g} σ√horizon before down, within "
        f"{manifest.horizon_s // 60} min",
        "data": f"{span}, {origin.rows} events, about {origin.n_eff:.0f} independent",
        "features": f"{len(manifest.feature_names)}, schema {manifest.schema_id[:12]}",
        "looked at": "; ".join(f"{name}: {hash_[:12]}" for name, hash_ in origin.sources.items())
        or "the symbols' own ticks alone",
        "planted": origin.planted or "–",
        "calibration": f"slope {manifest.calibration.slope:.3f}, intercept "
        f"{manifest.calibration.intercept:+.3f}",
        "parity": f"{parity.max_difference:.1e} on {parity.rows} rows (limit {parity.limit:.0e})",
        "trials": str(origin.trials),
        "seed": f"{origin.seed}, {origin.threads} threads",
        "code": origin.code_hash[:16],
        "lock": origin.lock_hash[:16],
        "parent": origin.parent or "–",
        "sha256": manifest.sha256,
        "verdict": " ".join((manifest.verdict, *manifest.flags)),
    }
    _print_pairs(rows)
    _print_flags(manifest.flags)
    click.echo("out of sample")
    _print_figures(manifest.metrics)


def show_candidate(folder: Path, name: str, *, as_json: bool) -> None:
    """Print a candidate: from the running Plan2 with gates and history, else from its file.

    Raises:
        ModelMismatch: none runs, and its file is missing or damaged.
    """
    card = _card(folder, name)
    if card is None:
        from plan2.intelligence.models.registry import Registry

        draft = Registry(folder / "models").drafts.read(name)
        card = {"candidate": _plain(draft), "gates": [], "history": [], "seats": []}
    if as_json:
        print_json(card)
        return
    candidate = card["candidate"]
    rows = {
        "candidate": candidate["candidate_id"],
        "state": candidate.get("state", "known to the running Plan2 only"),
        "serves": cell_text(candidate.get("champion_of")),
        "symbols": cell_text(candidate["symbols"]),
        "models": cell_text(candidate["model_ids"]),
        "trained": time_text(candidate.get("created_us") or candidate["created_ns"] // 1000),
        "verdict": " ".join((candidate["verdict"], *candidate["flags"])),
    }
    _print_pairs(rows)
    _print_flags(candidate["flags"])
    for gate in card["gates"]:
        click.echo(f"gate of {gate['state']}: {'open' if gate['is_open'] else 'closed'}")
        for condition in gate["conditions"]:
            click.echo(f"  {'✓' if condition['is_met'] else '✗'} {condition['sentence']}")
    for move in card["history"]:
        words = " OVERRIDE" if move["is_override"] else ""
        click.echo(
            f"{time_text(move['at_us'])} {move['from_state']} → {move['to_state']}{words}, "
            f"{move['by']}: {move['reason']}"
        )
    for seat in card["seats"]:
        click.echo(seat_text(seat))
    click.echo("out of sample")
    _print_figures(candidate["metrics"])


def seat_text(seat: Mapping[str, Any]) -> str:
    """A change of an alias as a line: when, where, from or to whom, who did it and why."""
    words = " ROLL-BACK" if seat["is_rollback"] else ""
    is_gained, other = seat["is_gained"], seat["other"]
    if other:
        turn = f"after {other}" if is_gained else f"lost to {other}"
    else:
        turn = "from then on" if is_gained else "no longer, without a successor"
    return (
        f"{time_text(seat['at_us'])} {seat['symbol']} {seat['alias'].replace('_', ' ')} "
        f"{turn}{words}, {seat['by']}: {seat['reason']}"
    )


def figures_of(folder: Path, name: str) -> dict[str, Any]:
    """What can be compared of a candidate or a model, by name.

    Raises:
        InputError, ModelMismatch: there is no such one.
    """
    from plan2.intelligence.models.registry import Registry

    registry = Registry(folder / "models")
    if "-" in name:
        manifest = registry.show(name)
        head = {"verdict": manifest.verdict, "trained": _day(manifest.trained_ts_ns)}
        return {**head, "symbols": ", ".join(manifest.symbols), **manifest.metrics}
    draft = registry.drafts.read(name)
    head = {"verdict": draft.verdict, "trained": _day(draft.created_ns)}
    return {**head, "symbols": ", ".join(draft.symbols), **draft.metrics}


def _card(folder: Path, name: str) -> dict[str, Any] | None:
    from plan2.commands.candidates import running_folder
    from plan2.commands.running import NotRunning, Refused, ask, quoted

    try:
        card: dict[str, Any] = ask(running_folder(folder), f"candidates/{quoted(name)}")
    except (NotRunning, Refused):
        return None
    return card


def _plain(value: object) -> Any:  # a struct as plain data
    import msgspec

    return msgspec.to_builtins(value)


def _day(ts_ns: int) -> str:
    return time_text(ts_ns // 1000)


def _print_pairs(rows: dict[str, str]) -> None:
    for name, text in rows.items():
        click.echo(f"{name:<12} {text}")


def _print_flags(flags: Iterable[str]) -> None:
    """What the flags of an evaluation mean; others speak for themselves."""
    from plan2.intelligence.training.plain_words import FLAGS

    for flag, sentence in FLAGS.items():
        if flag in flags:
            click.echo(f"{flag}: {sentence}")


def _print_figures(metrics: Mapping[str, float | None]) -> None:
    for name, value in metrics.items():
        click.echo(f"  {name:<22} {'–' if value is None else f'{value:.6g}'}")
