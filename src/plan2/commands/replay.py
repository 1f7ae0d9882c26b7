"""`plan2 replay`: take stored decisions again from their records and compare bit for bit."""

from pathlib import Path

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_settings,
)

DIFFERS_EXIT_CODE = 8
SHOWN_MAX = 20


@click.command(
    name="replay",
    epilog=examples(
        "plan2 replay",
        "plan2 replay --account paper --json",
        "plan2 serve --replay EURUSD   (plays imported ticks through the whole product)",
    ),
)
@click.option("--account", help="Only decisions of this account.")
@data_dir_option
@json_option
@click.pass_context
def command(ctx: click.Context, account: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Take every stored decision again and compare bit for bit.

    Models, policy, sizing and risk gate run on the recorded inputs. Nothing is written and nothing
    is sent. Exit code 8 when any decision comes out differently.
    """
    from plan2.foundation.loop import run_async
    from plan2.wiring.inquiry import open_inquiry

    async def compare() -> dict[str, object]:
        taken = 0
        different: list[dict[str, object]] = []
        async with open_inquiry(resolve_settings(ctx, data_dir)) as inquiry:
            async for record in inquiry.records(account):
                replayed = await inquiry.replay(record)
                taken += 1
                if not replayed.identical:
                    differences = list(replayed.differences)
                    different.append(
                        {"decision_id": record.decision_id, "differences": differences}
                    )
        return {"decisions": taken, "identical": taken - len(different), "different": different}

    found = run_async(compare())
    different = found["different"]
    assert isinstance(different, list)  # noqa: S101 - narrows the type
    if as_json:
        print_json(found)
    else:
        click.echo(f"{found['decisions']} decisions taken again, {found['identical']} identical.")
        for item in different[:SHOWN_MAX]:
            click.echo(f"  {item['decision_id']}: {'; '.join(item['differences'])}")
    if different:
        ctx.exit(DIFFERS_EXIT_CODE)
