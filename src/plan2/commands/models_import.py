"""`plan2 models import`: an ONNX file of somebody else becomes a candidate, after checks."""

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

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import left: a model, and the candidate that it is."""

    candidate_id: str
    model_id: str
    symbols: tuple[str, ...]
    examples: int
    max_difference: float


@click.command(
    name="import",
    epilog=examples(
        "plan2 models import mine.onnx --manifest mine.toml",
        "plan2 models import mine.onnx --manifest mine.json --json",
    ),
)
@click.argument("file", type=FILE)
@click.option(
    "--manifest", required=True, type=FILE, help="What the model claims to be: .toml or .json."
)
@data_dir_option
@json_option
@click.pass_context
def import_model(
    ctx: click.Context, file: Path, manifest: Path, data_dir: Path | None, as_json: bool
) -> None:
    """Import a model that was trained elsewhere.

    The file must load, take Plan2's features, answer hard rows with probabilities, and answer its
    own examples as declared. It becomes a candidate without any evidence: a gate stays closed until
    there is some. docs/models.md shows a manifest.
    """
    from plan2.commands.candidates import next_step
    from plan2.foundation.clock import LiveClock
    from plan2.intelligence.models.candidate_files import draft_of
    from plan2.intelligence.models.registry import Registry
    from plan2.intelligence.training.bring_your_own import declared, imported

    folder = resolve_data_dir(ctx, data_dir)
    model = imported(file.read_bytes(), declared(manifest), LiveClock().now_ns())
    registry = Registry(folder / "models")
    registry.register(model)
    card = model.manifest
    draft = draft_of(
        [card], {}, card.verdict, list(card.flags), parent=registry.champion_of(card.symbols)
    )
    registry.drafts.put(draft)
    done = Imported(
        candidate_id=draft.candidate_id,
        model_id=card.model_id,
        symbols=card.symbols,
        examples=card.parity.rows,
        max_difference=card.parity.max_difference,
    )
    if as_json:
        print_json(done)
        return
    click.echo(
        f"Imported {done.model_id} for {', '.join(done.symbols)}; {done.examples} examples "
        f"answered to {done.max_difference:.1e}."
    )
    for line in next_step(folder, draft.candidate_id):
        click.echo(line)
