"""`plan2 services`: what runs, where, since when, and how it is."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click

from plan2.commands.options import (
    data_dir_option,
    examples,
    json_option,
    print_json,
    resolve_data_dir,
)

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
HEAD: Final = ("KIND", "NAME", "STATE", "PID", "MiB", "SINCE", "ADDRESS", "TENANT", "DETAIL")

Row = dict[str, Any]  # JSON of GET /api/v1/services


@click.command(
    name="services",
    epilog=examples(
        "plan2 services",
        "plan2 services --quotas",
        "plan2 services --json | jq '.services[] | select(.state != \"ok\")'",
    ),
)
@click.option("--quotas", "shows_quotas", is_flag=True, help="Print the tenant's quotas instead.")
@data_dir_option
@json_option
@click.pass_context
def command(ctx: click.Context, shows_quotas: bool, data_dir: Path | None, as_json: bool) -> None:
    """Print every part of the running Plan2: components, processes, terminals and jobs."""
    from plan2.commands.running import ask

    folder = resolve_data_dir(ctx, data_dir)
    answer = ask(folder, "quotas" if shows_quotas else "services")
    if as_json:
        print_json(answer)
    elif shows_quotas:
        click.echo(quota_table(answer))
    else:
        click.echo(f"Plan2 {answer['version']}")
        click.echo(aligned([HEAD, *(service_line(service) for service in answer["services"])]))


def service_line(service: Row) -> tuple[str, ...]:
    """One service as columns; what is not known is a dash."""
    memory, since_us = service.get("memory_mb"), service.get("since_us")
    return tuple(
        str(value) if value else "-"
        for value in (
            service["kind"],
            service["name"],
            service["state"],
            service.get("pid"),
            f"{memory:.0f}" if memory else "",
            _minute(since_us) if since_us else "",
            service.get("address"),
            service.get("tenant_id"),
            service.get("detail"),
        )
    )


def quota_table(answer: Row) -> str:
    """A tenant's quotas, and what the load leaves of them."""
    rows = [("QUOTA", "USED", "LIMIT", "UNIT", "REFUSED")]
    for quota in answer["quotas"]:
        used = "-" if quota["used"] is None else f"{quota['used']:g}"
        rows.append(
            (quota["quota"], used, f"{quota['limit']:g}", quota["unit"], str(quota["refused"]))
        )
    load = answer["load"]
    head = f"Tenant {answer['tenant_id']}; the load is {load['level']} ({load['score']:g})."
    return f"{head}\n{aligned(rows)}"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Columns under each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def _minute(ts_us: int) -> str:
    return f"{EPOCH + timedelta(microseconds=ts_us):%Y-%m-%d %H:%M}Z"
