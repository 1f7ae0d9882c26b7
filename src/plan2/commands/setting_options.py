"""Options that say for whom a setting or flag is changed, and why."""

from functools import wraps
from pathlib import Path
from typing import Any

import click
import msgspec

from plan2.commands.options import F, data_dir_option, json_option
from plan2.foundation.config.overlay_keys import SettingScope


class TargetOptions(msgspec.Struct, frozen=True, kw_only=True):
    """For whom, why, where Plan2 runs and how to answer."""

    scope: SettingScope
    tenant: str
    user: str
    reason: str
    data_dir: Path | None
    as_json: bool


def target_options(callback: F) -> F:
    """Add the options; the callback takes them as `target: TargetOptions`."""

    @wraps(callback)
    def gathered(*arguments: Any, **options: Any) -> Any:  # as click passes them
        target = _target(options)
        return callback(*arguments, target=target, **options)

    wrapped: Any = gathered  # click keeps its parameters on the function
    for option in reversed(
        (
            click.option(
                "--scope",
                type=click.Choice([scope.value for scope in SettingScope]),
                help="For everybody, a tenant or a person.  [default: tenant]",
            ),
            click.option("--tenant", metavar="ID", default="", help="Which tenant."),
            click.option("--user", metavar="ID", default="", help="Which person of it."),
            click.option("--reason", metavar="TEXT", default="", help="Why; kept in the events."),
            data_dir_option,
            json_option,
        )
    ):
        wrapped = option(wrapped)
    result: F = wrapped
    return result


def path_of(what: str, name: str, target: TargetOptions, *, is_removal: bool = False) -> str:
    """The path of a change, below /api/v1."""
    from plan2.commands.running import quoted, with_query

    questions = {"user": target.user, "reason": target.reason if is_removal else ""}
    return with_query(f"{what}/{target.scope}/{quoted(name)}", questions)


def _target(options: dict[str, Any]) -> TargetOptions:
    """Take our options out of all, and see that they fit together.

    Raises:
        UsageError: they contradict each other.
    """
    found = {name: options.pop(name) for name in TargetOptions.__struct_fields__}
    scope, user = found["scope"], found["user"]
    if scope is None:
        scope = SettingScope.USER if user else SettingScope.TENANT
    if user and scope != SettingScope.USER:
        raise click.UsageError(f"--scope {scope} and --user contradict each other.")
    if scope == SettingScope.USER and not user:
        raise click.UsageError("Name the person with --user; `plan2 user list` shows their ids.")
    if scope == SettingScope.GLOBAL and found["tenant"]:
        raise click.UsageError("--scope global and --tenant contradict each other.")
    return TargetOptions(**(found | {"scope": SettingScope(scope)}))
