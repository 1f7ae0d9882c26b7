"""`plan2 services`: what runs, where, since when, and how it is."""

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

COLUMNS: Final = {
    "kind": "KIND",
    "name": "NAME",
    "state": "STATE",
    "pid": "PID",
    "memory_mb": "MiB",
    "since": "SINCE",
    "address": "ADDRESS",
    "tenant_id": "TENANT",
    "detail": "DETAIL",
}
QUOTA_COLUMNS: Final = {
    "quota": "QUOTA",
    "used": "USED",
    "limit": "LIMIT",
    "unit": "UNIT",
    "refused": "REFUSED",
}

Row = dict[str, Any]  # JSON of GET /api/v1/services and /api/v1/quotas


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
    from plan2.commands.tables import print_table

    folder = resolve_data_dir(ctx, data_dir)
    answer = ask(folder, "quotas" if shows_quotas else "services")
    if as_json:
        print_json(answer)
    elif shows_quotas:
        load = answer["load"]
        click.echo(
            f"Tenant {answer['tenant_id']}; the load is {load['level']} ({load['score']:g})."
        )
        print_table([_quota(each) for each in answer["quotas"]], QUOTA_COLUMNS)
    else:
        click.echo(f"Plan2 {answer['version']}")
        print_table([_service(each) for each in answer["services"]], COLUMNS)


def _service(service: Row) -> Row:
    from plan2.commands.tables import time_text

    memory = service["memory_mb"]
    return service | {
        "memory_mb": None if memory is None else round(memory),
        "since": time_text(service["since_us"]),
    }


def _quota(quota: Row) -> Row:
    used = quota["used"]
    return quota | {"used": "" if used is None else f"{used:g}", "limit": f"{quota['limit']:g}"}
